"""What maskbot promises, asked of the real parts."""
