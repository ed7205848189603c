"""Publish each person's Home tab, and update it for a while after they did something."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.core.cards import home
from bot.core.people.identity import PersonId
from bot.errors import MaskbotError
from bot.workflow.process.deps import Deps
from bot.workflow.queries.cache import Later
from bot.workflow.queries.home import render_home

log = structlog.get_logger()
_OURS = "The bot failed to collect your requests. The operator finds the error in its log."
_KEPT_CURRENT_FOR = timedelta(minutes=2)  # how long a Home tab is updated after its person's last action


class HomePublisher:
    """Publishes Home tabs one after the other in the background. `is_ending` says when to stop."""

    def __init__(self, deps: Deps, later: Later, is_ending: Callable[[], bool]) -> None:
        self._deps = deps
        self._later = later
        self._is_ending = is_ending
        self._lock = threading.Lock()
        self._wanted: dict[PersonId, None] = {}
        self._kept_current: dict[tuple[PersonId, str], tuple[int, datetime]] = {}
        self._is_busy = False

    def show(self, person: PersonId) -> None:
        """Publish a person's Home tab soon."""
        self._want(person)

    def keep_current(self, person: PersonId, request_id: str) -> None:
        """Publish the tab now, and again whenever this request of theirs changes."""
        with self._lock:
            self._kept_current[person, request_id] = (-1, self._deps.clock.now() + _KEPT_CURRENT_FOR)
        self._want(person)

    def _want(self, person: PersonId) -> None:
        with self._lock:
            self._wanted[person] = None
            begins, self._is_busy = not self._is_busy, True
        if begins:
            self._later(self._work)

    def _work(self) -> None:
        """Run until nothing is left to publish and no tab is to be kept current."""
        try:
            while not self._is_ending() and self._has_more():
                self._step()
        except Exception:
            log.exception("Home tab updates stopped")
            with self._lock:
                self._kept_current.clear()
                self._is_busy = False

    def _has_more(self) -> bool:
        with self._lock:
            self._is_busy = bool(self._wanted or self._kept_current)
            return self._is_busy

    def _step(self) -> None:
        with self._lock:
            person = next(iter(self._wanted), None)
            if person:
                del self._wanted[person]
        if person:
            self._publish(person)
        else:
            self._deps.store.wait_for_work(self._deps.timings.poll)
            self._see_what_moved()

    def _see_what_moved(self) -> None:
        """Find requests that changed.

        A finished request counts too: it may be signed off, its mask handed over.
        """
        with self._lock:
            kept = dict(self._kept_current)
        now = self._deps.clock.now()
        for (one, request_id), (version, until) in kept.items():
            request = self._deps.store.get(request_id)
            with self._lock:
                self._kept_current[one, request_id] = (request.version, until)
                if request.version != version:
                    self._wanted[one] = None
                is_over = request.stage.is_final and request.version > version >= 0
                if is_over or now > until:
                    del self._kept_current[one, request_id]

    def _publish(self, person: PersonId) -> None:
        try:
            self._deps.channel.publish(person.user, render_home(self._deps.pinned(), person))
        except MaskbotError as error:
            log.warning("Home tab not published", person=person.user, why=str(error))
        except Exception:
            log.exception("Home tab not rendered", person=person.user)
            self._deps.liveness.count_render_failure("home")
            with suppress(MaskbotError):
                self._deps.channel.publish(person.user, home.unverified_view(_OURS))
