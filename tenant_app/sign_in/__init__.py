"""Signing in and out in the browser."""
