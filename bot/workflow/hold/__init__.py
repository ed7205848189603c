"""Holds: masks that are put back when they are taken off, on one host or a whole group."""
