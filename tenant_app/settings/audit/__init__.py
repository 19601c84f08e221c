"""The audit log as a page of the settings, and as a file."""
