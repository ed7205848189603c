"""Wake threads that wait for work; a wake-up during a thread's work is not lost."""

import threading
from collections import Counter

from bot.ports import Work


class Wakeup:
    """Counts the wake-ups for each kind of work; each thread remembers the last one that it has seen."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self._changed = {kind: threading.Condition(lock) for kind in (None, *Work)}
        self._rung = Counter[Work | None]()
        self._heard = threading.local()

    def ring(self, *kinds: Work) -> None:
        """Wake the threads that wait for these kinds of work, and those that wait for any."""
        rung = (None, *kinds)
        with self._changed[None]:
            self._rung.update(rung)
            for kind in rung:
                self._changed[kind].notify_all()

    def wait(self, timeout: float, kind: Work | None = None) -> bool:
        """Wait for a wake-up since this thread's last wait for that kind; False after `timeout` seconds."""
        heard: Counter[Work | None] = self._heard.__dict__.setdefault("counts", Counter())
        changed = self._changed[kind]
        with changed:
            was_rung = changed.wait_for(lambda: self._rung[kind] != heard[kind], timeout)
            heard[kind] = self._rung[kind]
            return was_rung
