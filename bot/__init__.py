"""maskbot: the two-person rule for systemd units, in the incident channel."""

__version__ = "0.1.0"
