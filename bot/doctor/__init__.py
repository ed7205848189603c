"""What keeps the bot from working, host by host and in Slack, each finding with what would mend it."""
