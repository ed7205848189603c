"""Step-up: a code from a person's own authenticator app, in addition to their Slack or shell session."""
