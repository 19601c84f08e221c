"""Address books: which contacts colleagues' phones and mail programs hold, and on which of them.

Tables: address_book, address_book_grant, address_book_entry (of ``core.directory.books``). Whoever withdraws a contact
is told in numbers what follows. Events: BookChanged.
"""
