"""Users in the settings: the list, a user's page and form, blocking, deleting, inviting."""
