"""People first: while somebody waits for an acknowledgement, no new work is begun beside it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 0.5  # seconds that work stands back at most; a flood of payloads must not keep it from ever beginning


class AckPriority:
    """Counts who waits.

    Looks and cards take the processor for tens of milliseconds each, and Python hands it on rarely: of twenty commands
    that come in at once the last was acknowledged after a second, since the first were being looked into already.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting = 0
        self._nobody = threading.Event()
        self._nobody.set()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Somebody waits meanwhile."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def stand_back(self) -> None:
        """Return when nobody waits any more, at the latest after the seconds of patience."""
        self._nobody.wait(self._patience)

    def _count(self, change: int) -> None:
        with self._lock:
            self._waiting += change
            if self._waiting:
                self._nobody.clear()
            else:
                self._nobody.set()
