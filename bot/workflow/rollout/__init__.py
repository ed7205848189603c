"""Rollouts: look at every target, have the whole plan approved, and carry it out in waves."""
