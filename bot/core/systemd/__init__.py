"""systemd on a host: the commands we send, the parsers of their output, and the types of a unit's state."""
