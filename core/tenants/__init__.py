"""The companies that use one installation, and the host names that lead to them.

Tables: tenant, tenant_host (both read before a tenant is known), company_logo, opening_hours, holiday_rule.
Events: none yet.
"""
