"""The time of day, in UTC, and waiting for it to pass. It never goes backwards, whatever is done to the machine's."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_TREMOR = timedelta(seconds=1)  # what a clock that is kept in time does now and then
_LEAP = timedelta(seconds=60)  # forwards; a busy machine lets its threads wait for a while


def wall_time() -> datetime:
    """What the machine says it is, for those outside who compare it with their own clock."""
    return datetime.now(UTC)


class SystemClock:
    """The clock of this machine, held against the time that passes.

    Set back, it goes on as if it had not been: an approval lasts no longer, nothing comes later. Set forward again it
    is with the machine's once more. Set forward alone it follows: what is due is due.
    """

    def __init__(self, wall: Callable[[], datetime] = wall_time, passed: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._passed = wall, passed
        self._lock = threading.Lock()
        self._last_wall, self._last_passed = wall(), passed()
        self._held = timedelta()  # how far the machine's clock is behind what we go by
        self._last = self._last_wall
        self._jumps: list[timedelta] = []

    def now(self) -> datetime:
        """The time, in UTC."""
        with self._lock:
            wall, passed = self._wall(), self._passed()
            jump = wall - self._last_wall - timedelta(seconds=passed - self._last_passed)
            self._last_wall, self._last_passed = wall, passed
            if jump < -_TREMOR or jump > (_LEAP if not self._held else _TREMOR):
                self._held = max(timedelta(), self._held - jump)
                self._jumps.append(jump)
            self._last = max(self._last, wall + self._held)
            return self._last

    def wait(self, seconds: float) -> None:
        """Let time pass; a jump of the wall clock does not change for how long."""
        time.sleep(max(seconds, 0))

    def jumps(self) -> list[timedelta]:
        """By how much the machine's clock has been set since this was asked last."""
        self.now()
        with self._lock:
            jumps, self._jumps = self._jumps, []
        return jumps
