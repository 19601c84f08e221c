"""The page of settings, the company's own settings, and the log of changes."""
