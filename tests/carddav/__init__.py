"""CardDAV through its WSGI entrance, in real transactions, and with real clients."""
