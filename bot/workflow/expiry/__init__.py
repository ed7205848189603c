"""Masks that expire: extended, ended when due, and their owners reminded."""
