"""The lab: real systemd hosts and a Slack stand-in on one Debian machine, for the tests and the demo."""
