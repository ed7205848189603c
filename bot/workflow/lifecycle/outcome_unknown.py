"""When a host does not answer: nothing is guessed, it is looked at again, with growing pauses, until it is known."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.requests import Request, Stage
from bot.errors import HostError
from bot.ports import Claim
from bot.workflow.paging import page_outcome_unknown
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import end, event

_AGAIN = timedelta(minutes=1)  # what a finished request still owes is tried again then
_OURS = "The bot met a mistake of its own. Whoever runs it finds it in its log."


def outcome_unknown(deps: Deps, request: Request, error: HostError, *, claim: Claim) -> Request:
    """Something was sent and its effect is not known yet: due again soon, and nothing is sent before the next look.

    A host may be away for days: the record is told once for each reason, not at every look.
    """
    now = deps.clock.now()
    since = request.target.unknown_since or now
    why = event(request, "exec.outcome_unknown", outcome="unknown", code=error.code, why=str(error))
    is_told = request.target.unknown_since is not None and request.target.note == str(error)
    paged = page_outcome_unknown(deps, request.on_target(unknown_since=since, note=str(error)), now)
    unknown = replace(paged.request, due_at=_next_look(deps, paged.request, since, now))
    events = [*([] if is_told else [why]), *paged.events]
    return deps.store.save(unknown, events=events, messages=paged.messages, claim=claim)


def _next_look(deps: Deps, request: Request, since: datetime, now: datetime) -> datetime:
    """The longer it lasts, the longer the pause; but nobody is paged before one more look."""
    waited = (now - since).total_seconds()
    pause = min(deps.timings.recheck_longest, max(deps.timings.recheck_first, waited))
    page_at = request.paging.due_at if request.paging else None
    return min(filter(None, (now + timedelta(seconds=pause), page_at)))


def own_up(deps: Deps, claim: Claim) -> datetime | None:
    """What nobody foresaw went wrong: people are told, and the answer is when the request is due again.

    Before anything was sent the request ends; what runs is looked at again like any unknown outcome.
    """
    request = deps.store.get(claim.request.id)
    if request.stage.is_final:
        return deps.clock.now() + _AGAIN if request.due_at else None
    if request.stage is Stage.RUNNING:
        return outcome_unknown(deps, request, HostError(_OURS, code="our_mistake"), claim=claim).due_at
    stage = Stage.REFUSED if request.stage is Stage.ASKED else Stage.CANCELLED
    return end(deps, request, stage, f"{_OURS} Nothing was changed.", code="our_mistake", claim=claim).due_at
