"""The health of the database: its backlog, and whether it can be written."""

from typing import Protocol

from bot.core.health import Backlog


class StoreHealth(Protocol):
    """The backlog, and whether the database can be written."""

    def backlog(self) -> Backlog:
        """Counts of what waits for a worker, for Slack, for people."""

    def prove_writable(self) -> None:
        """Write a test value. Raises `StoreBusy` or `ConfigError` if nothing can be recorded now."""
