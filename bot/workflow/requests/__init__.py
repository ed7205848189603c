"""Stored requests: submitted, looked up, related to each other, closed."""
