"""The rules behind the one question, by what they look at; `bot/core/policy/decide.py` puts them in order."""
