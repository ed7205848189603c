"""A cache that is filled in the background when somebody first needs a value, and kept for a while."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from bot.ports import Clock

log = structlog.get_logger()
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Later = Callable[[Callable[[], None]], object]  # runs something in the background


@dataclass(frozen=True, slots=True)
class Cached(Generic[Value]):
    """A value, and until when it is good."""

    value: Value
    good_for: timedelta


class Cache(Generic[Key, Value]):
    """One value for each key. Nobody waits: `of` returns the known value, even if it is old, or none yet."""

    def __init__(self, take: Callable[[Key], Cached[Value]], *, later: Later, clock: Clock, at_once: int = 2) -> None:
        """`take` finds a value, for at most `at_once` keys at a time."""
        self._take = take
        self._later = later
        self._clock = clock
        self._at_once = at_once
        self._lock = threading.Lock()
        self._kept: dict[Key, tuple[Value, datetime]] = {}
        self._under_way: set[Key] = set()

    def of(self, key: Key) -> Value | None:
        """The known value. A missing or old one is refreshed in the background."""
        with self._lock:
            found = self._kept.get(key)
            is_old = found is None or found[1] <= self._clock.now()
            is_mine = is_old and key not in self._under_way and len(self._under_way) < self._at_once
            if is_mine:
                self._under_way.add(key)
        if is_mine:
            self._later(lambda: self._fetch(key))
        return found[0] if found else None

    def _fetch(self, key: Key) -> None:
        try:
            taken = self._take(key)
        except Exception:
            log.exception("cache refresh failed", about=str(key))
            taken = None
        with self._lock:
            self._under_way.discard(key)
            if taken:
                self._kept[key] = (taken.value, self._clock.now() + taken.good_for)
