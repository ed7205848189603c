"""Expiry: masks that expire are undone when due, can be extended, and their owners are reminded."""
