"""The audit log: every recorded change of the tenant, told with names instead of ids.

Tables: none; it reads ``change`` (``core.foundation.history``) and the names of what changed.
Events: none.
"""
