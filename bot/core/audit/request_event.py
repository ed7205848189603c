"""Audit events about requests, with the data that every such event has."""

from typing import Any

from bot.core.audit.chain import Event
from bot.core.people.identity import PersonId
from bot.core.requests import Request


def event(
    request: Request, kind: str, *, outcome: str = "success", code: str = "", actor: PersonId | None = None, **data: Any
) -> Event:
    """An audit event about a request, with the data of every such event; `actor` is the person who acted, if any."""
    ask, target = request.ask, request.target
    about = {
        "change": ask.words,
        "host": ask.change.host,
        "unit": str(target.unit),
        "requester": ask.requester.user,
        "owner": request.owner.user,
        "approvers": [vote.voter.user for vote in request.counted_votes],
        "reason": ask.reason,
        "channel": ask.place.channel,
    }
    if target.before:
        about["machine_id"] = target.before.machine_id
    return Event(kind, outcome, code, request.id, actor, {**about, **data})
