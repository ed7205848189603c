"""The time of day, in UTC, and waiting for it to pass."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Let time pass; a jump of the wall clock does not change for how long."""
        time.sleep(max(seconds, 0))
