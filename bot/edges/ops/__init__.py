"""What operators see of the process: its log, its probes, its notifications to systemd."""
