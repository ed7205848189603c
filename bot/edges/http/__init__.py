"""HTTP: the bot's listener, and POST to other systems."""
