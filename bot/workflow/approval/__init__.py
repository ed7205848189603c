"""Waiting for approval: votes, what changes meanwhile, and the escalation when nobody decides."""
