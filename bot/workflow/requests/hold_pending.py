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
from bot.ports import Claim, Message, MessageKind, Query
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import to_requester

_OPEN = frozenset({Stage.ASKED, Stage.APPROVED})


def keep_hold_pending(deps: Deps, request: Request, error: HostError, *, claim: Claim) -> None:
    """Raise `NotYet` for a hold whose host may come back; do nothing for any other request."""
    ask, now = request.ask, deps.clock.now()
    hold = ask.change.hold
    # A reapplied hold does not stay pending: the hold itself checks the host before it asks.
    if hold is None or ask.is_reapply or ask.change.scheduled_window or not error.passing:
        return
    if request.target.note != str(error):
        body = hold_pending(request, str(error))
        is_good_until = hold.review if request.approved_at and not ask.by_itself else None
        kept = replace(request.on_target(note=str(error)), act_by=is_good_until)
        pends = event(kept, "hold.pending", outcome="failure", code=error.code, why=str(error))
        told = [_notice(kept, body)] if not request.target.note else []
        deps.store.save(kept, events=[pends], messages=told, claim=claim, urgent=False)
    raise NotYet(
        str(error), again_in=pause(now - (request.approved_at or request.asked_at), deps.aftercare).total_seconds()
    )


def _notice(request: Request, body: str) -> Message:
    """Tell the requester alone; for one more host of a group, the group's thread."""
    if not request.ask.by_itself:
        return to_requester(request, body)
    return Message(MessageKind.NOTE, body=body, place=request.ask.place)


def wake_pending_holds(deps: Deps, host: str) -> None:
    """Make every request due that is pending for the host."""
    for request in deps.store.find(Query(host=host, stages=_OPEN)):
        if request.ask.change.hold and request.target.note:
            deps.store.make_due(request.id)
