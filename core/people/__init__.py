"""Users from their first day to their last: created or invited, changed, blocked, deleted; and what they may, and why.

It joins what the features below keep of somebody: the account, the line and its devices, synced phones, tickets.
Tables: none of its own. Events: none of its own; a deleted user's phones emit ``ClientRevoked`` (``core.directory``).
"""
