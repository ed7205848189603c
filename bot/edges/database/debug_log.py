"""Log what was committed, at level debug: each stage of a request, and each decision and command that is on record."""

from collections.abc import Iterable

from bot.core.audit.chain import Event
from bot.core.requests import Request
from bot.edges import metrics
from bot.edges.debug_line import debug


def moved(request: Request) -> None:
    """A request was stored in another stage than before."""
    metrics.count_stage_change(request)
    target = request.target
    debug("stage", request=request.id, stage=request.stage, outcome=target.outcome, note=target.note or None)


def recorded(events: Iterable[Event]) -> None:
    """Events were appended to the audit log."""
    for event in events:
        about = {"request": event.request_id} if event.request_id else {}
        actor = event.actor.user if event.actor else None
        debug(event.type, **about, outcome=event.outcome, code=event.code or None, actor=actor, data=event.data)
