"""systemd on a host: what is sent, what is read from the answer, and what a unit is."""
