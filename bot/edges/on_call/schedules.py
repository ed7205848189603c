"""Who is on call, asked of a command or a URL. A late or invalid answer counts as a refusal."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

import structlog

from bot.core.people.identity import Shift
from bot.core.people.on_call import read_shifts
from bot.core.policy.groups import OnCallSource
from bot.core.text.sanitize import clean
from bot.edges.sources.command import ask_command
from bot.edges.sources.url import ask_url
from bot.errors import Unverified
from bot.ports import Clock

log = structlog.get_logger()
_WIDTH = 200  # characters of a reason


class OnCallSchedules:
    """Implements `ports.Schedules`. An answer is cached for `ttl` seconds, as the directory caches Slack's.

    A failure is cached as well, so that nobody waits a second time for a source that hangs.
    """

    def __init__(self, source: Callable[[], OnCallSource | None], *, clock: Clock, ttl: float, token: str = "") -> None:
        """`source` is read at every call, because it may be reconfigured; `token` is a URL's bearer token."""
        self._source = source
        self._clock = clock
        self._ttl = ttl
        self._token = token
        self._kept: dict[tuple[OnCallSource, str], tuple[float, str | ValueError]] = {}
        self._lock = Lock()

    def shifts(self, schedule: str) -> tuple[Shift, ...]:
        """Who is on call now for this schedule. Raises `Unverified`."""
        source = self._source()
        if source is None:
            raise Unverified(f"No on-call source is configured, so nobody can tell who is on call for {schedule}.")
        try:
            return read_shifts(self._answer(source, schedule), now=self._clock.now())
        except ValueError as error:
            why = clean(str(error), lines=1, width=_WIDTH)
            log.warning("on_call.no_answer", schedule=schedule, why=why)
            text = f"The on-call source did not say who is on call for {schedule} ({why})"
            raise Unverified(f"{text}, so the answer is no for now. Please try again.") from error

    def _answer(self, source: OnCallSource, schedule: str) -> str:
        """A fresh answer; one question at a time, so that all who wait get the same answer. Raises `ValueError`."""
        with self._lock:
            until, kept = self._kept.get((source, schedule), (0.0, ""))
            if time.monotonic() >= until:
                kept = self._ask(source, schedule)
                self._kept = {key: one for key, one in self._kept.items() if one[0] > time.monotonic()}
                self._kept[source, schedule] = (time.monotonic() + self._ttl, kept)
        if isinstance(kept, ValueError):
            raise kept
        return kept

    def _ask(self, source: OnCallSource, schedule: str) -> str | ValueError:
        deadline = source.deadline / timedelta(seconds=1)
        try:
            if source.command:
                return ask_command(source.command, schedule, deadline=deadline)
            return ask_url(source.url, schedule, deadline=deadline, token=self._token)
        except ValueError as error:
            return error
