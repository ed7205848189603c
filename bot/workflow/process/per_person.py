"""Bounds for each person, so that a flood from one of them delays nobody else: at one time, and within a minute."""

import threading
from collections import Counter, deque
from datetime import datetime, timedelta

from bot.core.people.identity import PersonId
from bot.core.requests import Request, Tally
from bot.errors import UsageError
from bot.ports import Clock

_MINUTE = timedelta(minutes=1)
_FORGET_AT = 1000  # people, above which those who have done nothing for a minute are forgotten
_REPEATS = 5
_TOO_MUCH = "You did more than {} things within a minute. This one was not done; wait a minute."
Key = tuple[str, str]


class AtOnce:
    """At most so many things of each person wait or run."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._under_way: Counter[Key] = Counter()

    def begin(self, person: PersonId) -> bool:
        """Count one more, if there is room for it; whoever began it calls `end` once."""
        with self._lock:
            if self._under_way[person.key] >= self._most:
                return False
            self._under_way[person.key] += 1
            return True

    def end(self, person: PersonId) -> None:
        """End one thing that the person began."""
        with self._lock:
            self._under_way[person.key] -= 1
            if not self._under_way[person.key]:
                del self._under_way[person.key]


class WithinAMinute:
    """At most so many things of each person within a minute, as this process has seen them."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[Key, deque[datetime]] = {}

    def count(self, person: PersonId) -> None:
        """Count one more. Raises `UsageError` if there is no room for it."""
        now = self._clock.now()
        with self._lock:
            if len(self._times) > _FORGET_AT:
                self._times = {key: times for key, times in self._times.items() if times[-1] > now - _MINUTE}
            times = self._times.setdefault(person.key, deque(maxlen=self._most))
            if len(times) == self._most and times[0] > now - _MINUTE:
                raise UsageError(_TOO_MUCH.format(self._most))
            times.append(now)


class Repeats:
    """What a person wants of a request after something of theirs was refused there: a few times within a minute.

    Each is verified by Slack and recorded for good, however often the answer is the same.
    """

    def __init__(self, clock: Clock) -> None:
        self._pace = WithinAMinute(_REPEATS, clock)

    def count(self, request: Request, person: PersonId) -> None:
        """Count one more, if it is such a one. Raises `UsageError` if there is no room for it."""
        votes = ((vote.voter, vote.tally) for vote in request.votes)
        followups = ((followup.by, followup.tally) for followup in request.followups)
        if any(by.is_same_as(person) and tally is Tally.REFUSED for by, tally in (*votes, *followups)):
            self._pace.count(person)
