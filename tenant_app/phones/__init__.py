"""Phones and programs: a user's synced clients, how one is added, what it was served, and how it is cut off.

Tables: synced_client, synced_client_book, synced_client_card, profile_link (all of ``core.directory.books``). The app
password is shown once; to reach a phone by its camera it travels inside a link that only this server can read, that
works once, and for a quarter of an hour. Events: ClientRevoked.
"""
