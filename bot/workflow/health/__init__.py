"""The bot's own health: its heartbeat, and notices to its operators."""
