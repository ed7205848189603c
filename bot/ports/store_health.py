"""How the database is."""

from typing import Protocol

from bot.core.health import Backlog


class StoreHealth(Protocol):
    """What waits in the database, and whether it can be written."""

    def backlog(self) -> Backlog:
        """What waits for a worker, for Slack, for people."""

    def prove_writable(self) -> None:
        """Write something of no matter. Raises `StoreBusy` or `ConfigError` where nothing could be recorded now."""
