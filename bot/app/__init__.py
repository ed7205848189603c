"""The running process: composed, connected to Slack, monitored, reloaded and stopped."""
