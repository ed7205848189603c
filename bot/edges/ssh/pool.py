"""A pool of idle SSH connections, kept for a minute, because a new one costs more than most commands."""

import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from bot.core.hosts.inventory import Host


class Connection(Protocol):
    """A connection that can be kept open."""

    @property
    def opened(self) -> float:
        """When it was opened, by the clock of the pool."""

    @property
    def ends(self) -> float:
        """When it may not be used any more, by the same clock."""

    def close(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Connection)


class IdleConnections(Generic[C]):
    """Idle connections by host, and by the request that they were opened for where that makes a difference.

    A root-capable session is not left open longer than `keep` seconds.

    None is used again `longest` seconds after it was opened, however busy it is: what a host admits is asked at the
    login, so a revoked key or a changed `from=` would not bind a connection that goes on.
    """

    def __init__(self, *, keep: float, longest: float, now: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._longest = longest
        self._now = now
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, tuple[Host, str], C]] = []  # when it is closed, the last used at the end
        self._closer: threading.Thread | None = None
        self._closed = False

    def take(self, host: Host, request: str = "") -> C | None:
        """Take the one that was used last; the host must be equal in every respect, including its pins."""
        with self._changed:
            now = self._now()
            for position in range(len(self._waiting) - 1, -1, -1):
                until, place, _ = self._waiting[position]
                if place == (host, request) and until > now:
                    return self._waiting.pop(position)[2]
        return None

    def give(self, host: Host, connection: C, request: str = "") -> None:
        """Keep a connection for the next command, or close it if it was open for long enough."""
        with self._changed:
            now = self._now()
            until = min(now + self._keep, connection.opened + self._longest, connection.ends)
            if not self._closed and until > now:
                self._waiting.append((until, (host, request), connection))
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
                first = min(self._waiting, key=lambda one: one[0], default=None)
                left = None if first is None else first[0] - self._now()
                if first is None or left is None or left > 0:
                    self._changed.wait(left)
                    continue
                self._waiting.remove(first)
            first[2].close()
