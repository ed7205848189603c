"""Wake threads that wait for work; a wake-up during a thread's work is not lost."""

import threading


class Wakeup:
    """Counts the wake-ups; each thread remembers the last one it has seen."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = 0
        self._heard = threading.local()

    def ring(self) -> None:
        """Wake all threads."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait for a wake-up since this thread's last wait; False after `timeout` seconds."""
        with self._changed:
            heard = getattr(self._heard, "count", 0)
            was_rung = self._changed.wait_for(lambda: self._rung != heard, timeout)
            self._heard.count = self._rung
            return was_rung
