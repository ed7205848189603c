"""The clock, as the workflow needs it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""
