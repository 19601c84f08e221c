"""Signing in with an account that somebody has elsewhere, by OpenID Connect.

Tables: openid_provider, linked_account, openid_visit.
Events: none.
"""
