"""The stream that tells open browsers what changed: PostgreSQL's NOTIFY in, server-sent events out."""
