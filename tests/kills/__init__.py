"""A bot that is killed at every moment of a request: whoever goes on ends it, once."""
