"""The schema's history, by Alembic, run by the schema's owner and nobody else.

``versions/`` holds one step a file. Each works beside the previous release: add, backfill, switch, drop.
"""
