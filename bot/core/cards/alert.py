"""An alert in words: why somebody is paged, what a receiver may show beside it, and how it ended."""

from collections.abc import Mapping
from datetime import UTC

from bot.core.cards.done import title
from bot.core.cards.titles import stage_words, subject
from bot.core.requests import Cause, Request, Stage
from bot.core.text.sanitize import clean

_REASON = 120


def summary(request: Request, cause: Cause) -> str:
    """Why somebody is woken up, in one line."""
    what = f"the {request.ask.change.noun} of {subject(request)}"
    if cause is Cause.UNDECIDED:
        reason = _reason(request)
        return f"Not approved yet: {what}, asked by {request.ask.requester_name}" + (f": {reason}" if reason else "")
    if cause is Cause.HOLD_REMOVED:
        return f"A hold is taken off again and again: {what}"
    since = request.target.unknown_since
    return f"Not known: whether {what} took effect" + (f", since {since.astimezone(UTC):%H:%M} UTC" if since else "")


def details(request: Request) -> Mapping[str, str]:
    """Facts that the receiver of an alert may show beside its summary."""
    ask, approval = request.ask, request.approval
    known = {
        "request": request.id,
        "change": ask.words,
        "asked_by": ask.requester_name or ask.requester.user,
        "reason": _reason(request),
        "stage": str(request.stage),
        "approvals": f"{request.have} of {approval.need}" if approval else "",
        "why": clean(request.target.note, lines=1, width=_REASON),
    }
    return {name: said for name, said in known.items() if said}


def _reason(request: Request) -> str:
    return clean(request.ask.reason.replace("\n", " "), lines=1, width=_REASON)


def resolution(request: Request) -> str:
    """The text that resolves an alert: how its request ended."""
    how = title(request).lower() if request.stage is Stage.DONE else stage_words(request)
    return f"Over: the {request.ask.change.noun} of {subject(request)} is {how}"
