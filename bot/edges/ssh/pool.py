"""A pool of idle SSH connections, kept for a minute, because a new one costs more than most commands."""

import threading
import time
from typing import Generic, Protocol, TypeVar

from bot.core.hosts.inventory import Host


class Connection(Protocol):
    """A connection that can be kept open."""

    def close(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Connection)


class IdleConnections(Generic[C]):
    """Idle connections by host. A root-capable session is not left open longer than `keep`."""

    def __init__(self, *, keep: float) -> None:
        self._keep = keep
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, Host, C]] = []  # oldest first
        self._closer: threading.Thread | None = None
        self._closed = False

    def take(self, host: Host) -> C | None:
        """Take the one that was used last; the host must be equal in every respect, including its pins."""
        with self._changed:
            for position in range(len(self._waiting) - 1, -1, -1):
                if self._waiting[position][1] == host:
                    return self._waiting.pop(position)[2]
        return None

    def give(self, host: Host, connection: C) -> None:
        """Keep a connection for the next command."""
        with self._changed:
            if not self._closed:
                self._waiting.append((time.monotonic() + self._keep, host, connection))
                if self._closer is None:
                    self._closer = threading.Thread(target=self._close_old_ones, name="ssh-idle", daemon=True)
                    self._closer.start()
                self._changed.notify()
                return
        connection.close()

    def close(self) -> None:
        """Close all connections, and keep none from now on."""
        with self._changed:
            self._closed = True
            left, self._waiting = self._waiting, []
            self._changed.notify()
        for _, _, connection in left:
            connection.close()
        if self._closer is not None:
            self._closer.join()

    def _close_old_ones(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                _, _, connection = self._waiting.pop(0)
            connection.close()
