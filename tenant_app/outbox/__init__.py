"""The outbox: every mail that was written, how far it came, and what exactly leaves."""
