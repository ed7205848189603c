"""A bell for those who wait for work: whoever rings it while somebody is looking is still heard afterwards."""

import threading


class Wakeup:
    """Counts how often it was rung; each thread remembers up to where it has heard."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = 0
        self._heard = threading.local()

    def ring(self) -> None:
        """Let everybody look."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait until it is rung, or was rung since this thread last waited; False after `timeout` seconds."""
        with self._changed:
            heard = getattr(self._heard, "count", 0)
            was_rung = self._changed.wait_for(lambda: self._rung != heard, timeout)
            self._heard.count = self._rung
            return was_rung
