"""The outbox: cards and messages delivered to Slack, each once."""
