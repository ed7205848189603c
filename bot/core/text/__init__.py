"""Text from people and hosts: repaired before it is read, sanitized before it is shown."""
