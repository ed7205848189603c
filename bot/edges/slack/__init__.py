"""Slack: payloads that come in, messages that go out, and who its people are."""
