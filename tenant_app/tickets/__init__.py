"""Tickets: the list, and a ticket's page with its conversation, its facts and the answer."""
