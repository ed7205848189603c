"""The pager, which receives alerts."""

from typing import Protocol

from bot.core.paging import Alert


class Pager(Protocol):
    """Sends alerts."""

    def page(self, page: Alert) -> None:
        """Send an alert. Raises `PagerError`."""
