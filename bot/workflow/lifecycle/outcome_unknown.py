"""Outcome unknown: when a host does not answer, look again with growing pauses until the effect is known."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.audit.request_event import event
from bot.core.cards.not_started import OUR_MISTAKE, nothing_changed
from bot.core.requests import Request, Stage
from bot.errors import HostError
from bot.workflow.paging import page_outcome_unknown
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Closing, Result, Update

_AGAIN = timedelta(minutes=1)  # a finished request's open work is tried again after this pause


def outcome_unknown(deps: Deps, request: Request, error: HostError) -> Update:
    """Schedule a look after a command whose effect is unknown; nothing is sent before that look.

    A host may be unreachable for days: each reason is recorded once, not at every look.
    """
    now = deps.clock.now()
    since = request.target.unknown_since or now
    why = event(request, "exec.outcome_unknown", outcome="unknown", code=error.code, why=str(error))
    is_told = request.target.unknown_since is not None and request.target.note == str(error)
    paged = page_outcome_unknown(deps, request.on_target(unknown_since=since, note=str(error)), now)
    unknown = replace(paged.request, due_at=_next_look(deps, paged.request, since, now))
    events = [*([] if is_told else [why]), *paged.events]
    return Update(unknown, events, paged.messages)


def _next_look(deps: Deps, request: Request, since: datetime, now: datetime) -> datetime:
    """The longer it lasts, the longer the pause; but there is always one more look before somebody is paged."""
    waited = (now - since).total_seconds()
    pause = min(deps.timings.recheck_longest, max(deps.timings.recheck_first, waited))
    page_at = request.paging.due_at if request.paging else None
    return min(filter(None, (now + timedelta(seconds=pause), page_at)))


def internal_error(deps: Deps, request_id: str) -> Result:
    """Tell people about an unexpected error in a request.

    If nothing was sent, the request ends; a running request is checked again like any other unknown outcome.
    """
    request = deps.store.get(request_id)
    if request.stage.is_final:
        return replace(request, due_at=deps.clock.now() + _AGAIN) if request.due_at else request
    if request.stage is Stage.RUNNING:
        return outcome_unknown(deps, request, HostError(OUR_MISTAKE, code="our_mistake"))
    stage = Stage.REFUSED if request.stage is Stage.ASKED else Stage.CANCELLED
    return Closing(request, stage, nothing_changed(OUR_MISTAKE), "our_mistake")
