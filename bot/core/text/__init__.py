"""Text from people and hosts: repaired before it is parsed, sanitized before it is shown."""
