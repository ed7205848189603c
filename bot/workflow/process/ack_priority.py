"""Acknowledge Slack first: while a payload waits for its acknowledgement, no new work is started."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 0.5  # seconds that work is held back at most, so that a flood of payloads cannot stop it for ever


class AckPriority:
    """Counts the payloads that wait.

    Looks and cards take the processor for tens of milliseconds each, and Python hands it on rarely: of twenty commands
    at once, the last was acknowledged after a second, since the first were being worked on already.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting = 0
        self._nobody = threading.Event()
        self._nobody.set()

    @contextmanager
    def payload_waiting(self) -> Iterator[None]:
        """Count one payload for the duration of the block."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def wait_for_acks(self) -> None:
        """Return when no payload waits any more, at the latest after half a second."""
        self._nobody.wait(self._patience)

    def _count(self, change: int) -> None:
        with self._lock:
            self._waiting += change
            if self._waiting:
                self._nobody.clear()
            else:
                self._nobody.set()
