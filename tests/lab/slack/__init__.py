"""A local Slack: a stand-in in a network namespace of its own, behind a proxy that is as strict as real Slack."""
