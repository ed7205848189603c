"""Record refusals in the audit log: the first few of each person one by one, then each time their number doubles."""

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.audit.chain import Event
from bot.ports import Clock, Store

ONE_BY_ONE = 5  # refusals with one code of one person within a period
PERIOD = timedelta(minutes=10)
_MOST = 1000  # people and codes within a period; those beyond share one number
Key = tuple[str, str, tuple[str, str]]


@dataclass(slots=True)
class _Count:
    """How many refusals there were since then, and at which number one is recorded again."""

    since: datetime
    so_far: int = 0
    next: int = 1


class Refusals:
    """Nobody fills the audit log with refusals, of which each would be stored for good and copied to every sink.

    Every one is counted: an event that stands for others too has their number as `refusals_so_far`.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[Key, _Count] = {}

    def record(self, refused: Event) -> None:
        """Record the refusal, or only count it. Raises what the store raises."""
        with self._lock:
            count = self._count(refused)
            count.so_far += 1
            if count.so_far < count.next:
                return
            count.next = count.so_far + 1 if count.so_far < ONE_BY_ONE else 2 * count.so_far
            so_far = count.so_far
        told = {"refusals_so_far": so_far} if so_far > ONE_BY_ONE else {}
        self._store.record([replace(refused, data={**refused.data, **told})])

    def _count(self, refused: Event) -> _Count:
        now = self._clock.now()
        self._counts = {key: count for key, count in self._counts.items() if now - count.since < PERIOD}
        key = (refused.type, refused.code, refused.actor.key if refused.actor else ("", ""))
        if key not in self._counts and len(self._counts) >= _MOST:
            key = (refused.type, refused.code, ("", ""))
        return self._counts.setdefault(key, _Count(now))
