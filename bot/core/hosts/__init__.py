"""Hosts: the inventory, and quarantine of hosts whose key is not trusted."""
