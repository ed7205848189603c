"""Every sentence the bot says, one module per card."""
