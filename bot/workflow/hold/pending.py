"""A hold for an unreachable host stays pending, visibly, until the host answers or its review date comes.

Before the first look there is nothing to approve, so the request waits for a look. An approved one stays approved: once
the host is back, the plan must be the approved one and every right is read again, or people are asked anew.
"""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards.not_started import hold_pending
from bot.core.requests import Request, Stage
from bot.core.requests.expiry import pause
from bot.errors import HostError, NotYet
from bot.ports import Message, MessageKind, Query
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import to_requester
from bot.workflow.requests.results import Update

_OPEN = frozenset({Stage.ASKED, Stage.APPROVED})


def pending_hold(deps: Deps, request: Request, error: HostError) -> Update | None:
    """Keep a hold pending whose host may come back; None for any other request. Raises `NotYet` without news."""
    ask, now = request.ask, deps.clock.now()
    hold = ask.change.hold
    # A reapplied hold does not stay pending: the hold itself checks the host before it asks.
    if hold is None or ask.is_reapply or ask.change.scheduled_window or not error.passing:
        return None
    # Neither does one target of a rollout before that is in force: it is left out, and tried again afterwards.
    if ask.rollout and not deps.store.get(ask.rollout).stage.is_final:
        return None
    again_in = pause(now - (request.approved_at or request.asked_at), deps.aftercare).total_seconds()
    later = NotYet(str(error), again_in=again_in)
    if request.target.note == str(error):
        raise later
    is_good_until = hold.review if request.approved_at and not ask.rollout else None
    kept = replace(request.on_target(note=str(error)), act_by=is_good_until)
    told = [] if request.target.note else [_notice(kept, hold_pending(request, str(error)))]
    pends = event(kept, "hold.pending", outcome="failure", code=error.code, why=str(error))
    return Update(kept, [pends], told, is_urgent=False, then=later)


def _notice(request: Request, body: str) -> Message:
    """Tell the requester alone; of one host of many, the thread of the hold's card."""
    return Message(MessageKind.NOTE, body=body) if request.ask.rollout else to_requester(request, body)


def wake_pending_holds(deps: Deps, host: str) -> None:
    """Make every request due that is pending for the host."""
    for request in deps.store.find(Query(host=host, stages=_OPEN)):
        if request.ask.change.hold and request.target.note:
            deps.store.make_due(request.id)
