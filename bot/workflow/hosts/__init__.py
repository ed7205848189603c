"""Hosts: looks at their state, and quarantine of hosts that are not trusted."""
