"""What every product shares: the tenant's data, the rules about it, and the jobs that follow from it.

Imports no web framework and no protocol engine. The layers inside, from the top: worker, wiring, privacy,
mail and calls, tickets, records, timeline, directory, identity, tenants, foundation. Calls go down; news goes
up as events (see ``wiring.py``).
"""
