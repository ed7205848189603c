"""Admission: record a request only within the rate limits, which are wider for undos and extensions."""

from datetime import timedelta
from functools import partial

from bot.core.audit.chain import Event
from bot.core.policy.model import Refuse
from bot.core.policy.rules.admission import Traffic, there_is_room, there_is_room_for_an_undo
from bot.core.policy.rules.break_glass import why_too_short
from bot.core.requests import Ask, Request, Stage, Verb
from bot.errors import UsageError
from bot.ports import Count, Query
from bot.workflow.process.deps import Deps
from bot.workflow.process.refusals import Refusals
from bot.workflow.requests.submit import submit

_MINUTE = timedelta(minutes=1)
_OPEN = frozenset(stage for stage in Stage if not stage.is_final)


class _NoRoom(Exception):
    """The limits admit nothing more for now."""

    def __init__(self, no: Refuse) -> None:
        super().__init__(no.reason)
        self.no = no


class Admission:
    """Admit one request at a time across all replicas, so that the limits are never exceeded."""

    def __init__(self, deps: Deps, refusals: Refusals) -> None:
        self._deps = deps
        self._refusals = refusals

    def admit(self, ask: Ask, *, key: str, due_in: timedelta = timedelta()) -> Request:
        """Record the request if the limits allow it; a second delivery finds what the first recorded.

        Raises `UsageError` if they do not, or if a break-glass reason is too short.
        """
        if ask.break_glass and (too_short := why_too_short(ask.reason, self._deps.in_force.policy)):
            raise UsageError(too_short)
        try:
            return submit(self._deps, ask, key=key, provided=partial(self._see_room, ask), due_in=due_in)
        except _NoRoom as full:
            told = {"change": ask.words, "channel": ask.place.channel, "reason": ask.reason}
            self._refusals.record(Event("request.refused", "denied", full.no.code, actor=ask.requester, data=told))
            raise UsageError(full.no.sentence) from None

    def _see_room(self, ask: Ask, count: Count) -> None:
        """Count requests from indexes, only for limits that are set. Raises `_NoRoom`.

        A queue that others have filled does not keep out break-glass, undos and extensions.
        """
        bounds, now = self._deps.in_force.policy.limits, self._deps.clock.now()
        is_new_mask = ask.change.verb is Verb.MASK and not ask.extends
        may_jump = ask.break_glass or not is_new_mask
        lately = Query(requester=ask.requester, since=now - _MINUTE, rollout="")
        traffic = Traffic(
            lately=0 if bounds.requests_per_minute is None else count(lately),
            open_requests=0 if bounds.open_requests is None or may_jump else count(Query(stages=_OPEN, rollout="")),
        )
        if no := (there_is_room if is_new_mask else there_is_room_for_an_undo)(traffic, bounds):
            raise _NoRoom(no)
