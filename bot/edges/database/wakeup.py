"""Wake threads that wait for work; a wake-up during a thread's work is not lost."""

import threading
from collections import Counter

from bot.ports import Work


class Wakeup:
    """Counts the wake-ups for each kind of work; each thread remembers the last one that it has seen."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = Counter[Work | None]()
        self._heard = threading.local()

    def ring(self, *kinds: Work) -> None:
        """Wake the threads that wait for these kinds of work, and those that wait for any; without a kind, all."""
        with self._changed:
            self._rung.update([None, *(kinds or Work)])
            self._changed.notify_all()

    def wait(self, timeout: float, kind: Work | None = None) -> bool:
        """Wait for a wake-up since this thread's last wait for that kind; False after `timeout` seconds."""
        heard: Counter[Work | None] = self._heard.__dict__.setdefault("counts", Counter())
        with self._changed:
            was_rung = self._changed.wait_for(lambda: self._rung[kind] != heard[kind], timeout)
            heard[kind] = self._rung[kind]
            return was_rung
