"""Whole journeys of the cast through the running product: a browser, a real mail client, every process."""
