"""What only many requests, many kills and time can show."""
