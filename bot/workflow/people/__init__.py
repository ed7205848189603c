"""People and channels: group membership, and who is told of a request."""
