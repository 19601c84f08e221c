"""The ground under every feature: one transaction per request, one tenant per transaction.

Tables: blob, change, event, job, read_event (see the modules of the same names).
Events: none of its own; it carries those of the others (``outbox``) and wakes browsers (``live``).
Start reading at ``unit_of_work``.
"""
