"""Notifications: whom they concern, and how they reach them."""
