"""Kills: the bot is killed at every point of a request, and whoever goes on finishes it once."""
