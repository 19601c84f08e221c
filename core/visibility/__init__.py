"""Who sees which rows: databases of contacts, queues, ticket categories and address books, and the grants of each.

Tables: none of its own; it writes those of the features below it. The rows themselves are hidden by policies
(``docs/permissions.md``); here is decided what the policies read, and asked what they let whom see.
Events: DatabaseOpened (of ``core.directory``), when a database is opened to everyone or closed.
"""
