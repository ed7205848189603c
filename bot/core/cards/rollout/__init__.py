"""What people read of a rollout: its card, the list of its targets, and messages about it."""
