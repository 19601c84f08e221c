"""Contacts: list, page, form."""
