"""Hosts: the inventory, and those that are in quarantine."""
