"""Approval: votes, reevaluation while a request waits, and escalation when nobody answers."""
