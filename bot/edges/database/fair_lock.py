"""A fair lock within one process: first come, first served, with a timeout."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import StoreBusy


class FairLock:
    """A lock that is handed on in the order in which it was asked for.

    SQLite lets a writer who finds the file locked sleep up to a tenth of a second and then compete with all others: of
    twenty requests at once the last is recorded after a second. In order it takes 70 ms (measured,
    docs/ARCHITECTURE.md).
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._guard = threading.Lock()
        self._is_taken = False
        self._queue: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """The number of threads that wait."""
        with self._guard:
            return len(self._queue)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the lock and hold it. Raises `StoreBusy` if that takes too long."""
        turn_event = threading.Event()
        with self._guard:
            if self._is_taken:
                self._queue.append(turn_event)
            else:
                self._is_taken = True
                turn_event.set()
        if not turn_event.wait(self._patience):
            self._leave(turn_event)
        try:
            yield
        finally:
            self._hand_on()

    def _leave(self, turn_event: threading.Event) -> None:
        with self._guard:
            if turn_event.is_set():
                return  # the lock was handed over in the moment of giving up
            self._queue.remove(turn_event)
        raise StoreBusy("The database is overloaded; nothing was recorded. Try again.")

    def _hand_on(self) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._is_taken = False
