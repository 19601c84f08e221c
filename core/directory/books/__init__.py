"""Address books: which contacts phones and mail programs hold, as which card, and who was served what.

Tables: address_book, address_book_grant, card_clock, contact_card, card_revision, address_book_entry, card_tombstone,
synced_client, synced_client_book, synced_client_card, profile_link.
A contact that stands in a book has one card: the bytes as a client wrote them, of which a change in the web app
rewrites only the lines that differ. See ``docs/carddav.md``.
"""
