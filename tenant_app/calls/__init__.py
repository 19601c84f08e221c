"""Calls: the log, one call with its recording, and the card of the call that rings."""
