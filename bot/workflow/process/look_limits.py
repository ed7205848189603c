"""How long a look at each host may take: as usual, or longer where the last ones took long."""

import threading

LONGEST = 95.0  # seconds; the guard ends a look after 90 (`LONGEST_LOOK`)
_ROOM = 3.0  # times the time of the last look: a host that is busy now may be busier in a moment
_KEPT = 0.5  # of an earlier limit: it shrinks again over a few looks


class LookLimits:
    """Kept in memory: it is what this process has seen. Only looks that came to their end count.

    So a host that becomes slow is waited for, and one that hangs is not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    def of(self, host: str, *, usual: float) -> float:
        """The limit for the next look at a host, in seconds."""
        with self._lock:
            return min(LONGEST, max(usual, self._seconds.get(host, 0.0)))

    def took(self, host: str, seconds: float) -> None:
        """A look at a host was answered after so many seconds."""
        with self._lock:
            self._seconds[host] = max(_ROOM * seconds, _KEPT * self._seconds.get(host, 0.0))
