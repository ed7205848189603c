"""The rules behind the one question, by what they look at; `bot/core/policy.py` puts them in order."""
