"""The outbox: deliver cards and messages to Slack, each exactly once."""
