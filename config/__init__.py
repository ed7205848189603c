"""The configuration files of an installation: hosts, policy, critical units, and settings."""
