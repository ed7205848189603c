"""Holds: reapply masks that were removed, on one host or on a whole group."""
