"""Slack: incoming payloads, outgoing messages, and look-ups of people and channels."""
