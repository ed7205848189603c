"""Real hosts and a Slack stand-in, made from one Debian machine, shared by the tests and the demo."""
