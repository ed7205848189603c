"""The running process: put together, connected to Slack, watched over, reloaded and stopped."""
