"""Search over contacts, companies and tickets at once."""
