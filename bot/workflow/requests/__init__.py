"""Requests in the store: submitted, looked up, related to each other, closed."""
