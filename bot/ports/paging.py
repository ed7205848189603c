"""The pager."""

from typing import Protocol

from bot.core.paging import Alert


class Pager(Protocol):
    """Wakes somebody up."""

    def page(self, page: Alert) -> None:
        """Tell the receiver of pages. Raises `PagerError`."""
