"""The clock: UTC time that never goes backwards, whatever happens to the machine's clock, and waiting."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_TREMOR = timedelta(seconds=5)  # more than the drift of a synchronised clock
_LEAP = timedelta(seconds=60)  # forwards: on a busy machine, threads may wait this long between two reads


def wall_time() -> datetime:
    """The machine's wall-clock time, for outside systems that compare it with their own clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Readings of both clocks of the machine, and the time between them: a busy machine lets a thread wait in
    between.
    """

    wall: datetime
    passed: float
    uncertainty: timedelta

    def set_since(self, before: "_Seen") -> timedelta:
        """How far the wall clock has advanced beyond the time that passed."""
        return self.wall - before.wall - timedelta(seconds=self.passed - before.passed)


class SystemClock:
    """The machine's clock, checked against the monotonic clock.

    If the wall clock is set back, this clock goes on as if it had not been: no approval lasts longer and nothing comes
    later. Once the wall clock is right again, both agree. If it is set forward alone, this clock follows.
    """

    def __init__(self, wall: Callable[[], datetime] = wall_time, passed: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._passed = wall, passed
        self._lock = threading.Lock()
        self._seen = self._look()
        self._held = timedelta()  # how far the machine's clock is behind this clock
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
        """Wait; a jump of the wall clock does not change for how long."""
        time.sleep(max(seconds, 0))

    def jumps(self) -> list[timedelta]:
        """The jumps of the machine's clock since the last call."""
        self.now()
        with self._lock:
            jumps, self._jumps = self._jumps, []
        return jumps
