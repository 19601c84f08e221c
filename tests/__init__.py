"""Tests: through services, HTTP, SMTP and a browser, on a real PostgreSQL of each worker's own."""
