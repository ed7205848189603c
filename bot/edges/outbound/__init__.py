"""What leaves the bot for other systems: pages and shipped audit records."""
