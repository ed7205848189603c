"""People and places: group membership, channels, and who hears of a request."""
