"""The time of day, in UTC, and waiting for it to pass. It never goes backwards, whatever is done to the machine's."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_TREMOR = timedelta(seconds=5)  # more than a clock that is kept in time does now and then
_LEAP = timedelta(seconds=60)  # forwards; a busy machine lets its threads wait for a while


def wall_time() -> datetime:
    """What the machine says it is, for those outside who compare it with their own clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Both clocks of the machine, and how far apart they were read: a busy machine lets a thread wait in between."""

    wall: datetime
    passed: float
    uncertainty: timedelta

    def set_since(self, before: "_Seen") -> timedelta:
        """How far the wall clock went beyond the time that passed."""
        return self.wall - before.wall - timedelta(seconds=self.passed - before.passed)


class SystemClock:
    """The clock of this machine, held against the time that passes.

    Set back, it goes on as if it had not been: an approval lasts no longer, nothing comes later. Set forward again it
    is with the machine's once more. Set forward alone it follows: what is due is due.
    """

    def __init__(self, wall: Callable[[], datetime] = wall_time, passed: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._passed = wall, passed
        self._lock = threading.Lock()
        self._seen = self._look()
        self._held = timedelta()  # how far the machine's clock is behind what we go by
        self._last = self._seen.wall
        self._jumps: list[timedelta] = []

    def now(self) -> datetime:
        """The time, in UTC."""
        with self._lock:
            before, self._seen = self._seen, self._look()
            jump, uncertainty = self._seen.set_since(before), before.uncertainty + self._seen.uncertainty
            forwards = _TREMOR if self._held else _LEAP
            if jump < -(_TREMOR + uncertainty) or jump > forwards + uncertainty:
                self._held = max(timedelta(), self._held - jump)
                self._jumps.append(jump)
            self._last = max(self._last, self._seen.wall + self._held)
            return self._last

    def _look(self) -> "_Seen":
        before, wall, passed = self._passed(), self._wall(), self._passed()
        return _Seen(wall, passed, timedelta(seconds=passed - before))

    def wait(self, seconds: float) -> None:
        """Let time pass; a jump of the wall clock does not change for how long."""
        time.sleep(max(seconds, 0))

    def jumps(self) -> list[timedelta]:
        """By how much the machine's clock has been set since this was asked last."""
        self.now()
        with self._lock:
            jumps, self._jumps = self._jumps, []
        return jumps
