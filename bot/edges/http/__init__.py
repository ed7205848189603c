"""HTTP: the bot's own listener, and POST to others."""
