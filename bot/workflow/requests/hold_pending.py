"""A hold for a host that cannot be reached: it stays pending, visibly, until the host is seen or its review day comes.

Before anybody looked there is nothing to approve, so it waits for a look. Approved, its approval stays good: once the
host is back, the plan has to be the approved one and every right is read again, or people are asked anew.
"""

from dataclasses import replace

from bot.core.requests import Request, Stage
from bot.core.requests.expiry import pause
from bot.errors import HostError, NotYet
from bot.ports import Claim, Message, MessageKind, Query
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import event, to_requester

_OPEN = frozenset({Stage.ASKED, Stage.APPROVED})


def stay_pending(deps: Deps, request: Request, error: HostError, *, claim: Claim) -> None:
    """Raises `NotYet` for a hold whose host may come back; for anything else nothing happens."""
    ask, now = request.ask, deps.clock.now()
    hold = ask.change.hold
    # What is put back does not stay: its hold looks before it asks.
    if hold is None or ask.is_put_back or ask.change.window or not error.passing:
        return
    if request.target.note != str(error):
        body = f"{error} The hold stays pending, until {request.target.host} is seen or its review day comes."
        is_good_until = hold.review if request.approved_at and not ask.by_itself else None
        kept = replace(request.on_target(note=str(error)), act_by=is_good_until)
        pends = event(kept, "hold.pending", outcome="failure", code=error.code, why=str(error))
        told = [_told(kept, body)] if not request.target.note else []
        deps.store.save(kept, events=[pends], messages=told, claim=claim, urgent=False)
    raise NotYet(str(error), again_in=pause(now - (request.approved_at or request.asked_at), deps.care).total_seconds())


def _told(request: Request, body: str) -> Message:
    """To who asked alone; a hold that goes to one more host says it where the whole of it is."""
    if not request.ask.by_itself:
        return to_requester(request, body)
    return Message(MessageKind.NOTE, body=body, place=request.ask.place)


def host_is_back(deps: Deps, host: str) -> None:
    """Whatever is pending for it is taken up at once."""
    for request in deps.store.find(Query(host=host, stages=_OPEN)):
        if request.ask.change.hold and request.target.note:
            deps.store.make_due(request.id)
