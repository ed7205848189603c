"""When a host does not answer: nothing is guessed, it is looked at again, with growing pauses, until it is known."""

from dataclasses import replace
from datetime import timedelta

from bot.core.changes import Request
from bot.errors import HostError
from bot.ports import Claim
from bot.workflow.ending import event
from bot.workflow.parts import Parts


def in_doubt(parts: Parts, request: Request, error: HostError, *, claim: Claim) -> Request:
    """Something was sent and its effect is not known yet: due again soon, and nothing is sent before the next look.

    A host may be away for days: the record is told once for each reason, not at every look.
    """
    now = parts.clock.now()
    since = request.target.unknown_since or now
    waited = (now - since).total_seconds()
    pause = min(parts.timings.doubt_longest, max(parts.timings.doubt_first, waited))
    unknown = replace(request.on_target(unknown_since=since, note=str(error)), due_at=now + timedelta(seconds=pause))
    why = event(request, "exec.unknown", outcome="unknown", code=error.code, why=str(error))
    is_told = request.target.unknown_since is not None and request.target.note == str(error)
    return parts.store.save(unknown, events=[] if is_told else [why], claim=claim)
