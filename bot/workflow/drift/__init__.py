"""Drift: notice and report what happens on hosts after a change, behind the bot's back."""
