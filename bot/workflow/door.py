"""The door: a new mask is written down only where there is room for it; what takes one back or prolongs it comes in."""

from datetime import timedelta
from threading import Lock

from bot.core.audit import Event
from bot.core.changes import Ask, Request, Stage, Verb
from bot.core.rules.glass import why_too_short
from bot.core.rules.limits import Traffic, there_is_room
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.ending import sentence
from bot.workflow.parts import Parts
from bot.workflow.recording import record

_MINUTE = timedelta(minutes=1)
_OPEN = frozenset(stage for stage in Stage if not stage.is_final)


class Door:
    """One request after the other: of many that come at once no more get in than there is room for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turn = Lock()

    def let_in(self, ask: Ask, *, key: str) -> Request:
        """Write it down, if there is room for it; a second delivery finds what the first recorded.

        Raises `UsageError` where there is none, and where who goes ahead alone says too little.
        """
        if ask.alone and (too_short := why_too_short(ask.reason, self._parts.policy)):
            raise UsageError(too_short)
        if ask.change.verb is not Verb.MASK or ask.prolongs:
            return record(self._parts, ask, key=key)
        with self._turn:
            no = there_is_room(self._traffic(ask), self._parts.policy.bounds)
            known = self._parts.store.find(Query(key=key, limit=1)) if no else []
            if no is None or known:
                return known[0] if known else record(self._parts, ask, key=key)
        told = {"change": str(ask.change), "channel": ask.place.channel, "reason": ask.reason}
        refused = Event("request.refused", "denied", no.code, actor=ask.requester, data=told)
        self._parts.store.record([refused])
        raise UsageError(sentence(no))

    def _traffic(self, ask: Ask) -> Traffic:
        """Both counts come from indexes; a bound that is not there is not counted for.

        A queue that others have filled does not keep out who says that it cannot wait for them.
        """
        store, bounds, now = self._parts.store, self._parts.policy.bounds, self._parts.clock.now()
        lately = Query(requester=ask.requester, since=now - _MINUTE)
        return Traffic(
            lately=0 if bounds.requests_per_minute is None else store.count(lately),
            open_requests=0 if bounds.open_requests is None or ask.alone else store.count(Query(stages=_OPEN)),
        )
