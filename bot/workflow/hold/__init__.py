"""Holds: reapply masks that were removed, on one host or on one of many."""
