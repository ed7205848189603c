"""What the bot sends to other systems: alerts and audit records."""
