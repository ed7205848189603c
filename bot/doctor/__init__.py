"""`maskbot doctor`: find what keeps the bot from working, on hosts and in Slack, and say what would fix it."""
