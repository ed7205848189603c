"""Hosts: looked at, or in quarantine."""
