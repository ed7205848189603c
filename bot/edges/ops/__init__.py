"""What operators see of the process: its log, its probes, its word to systemd."""
