"""The Slack stand-in: in a network namespace of its own, behind a proxy that is as strict as Slack."""
