"""What somebody is woken up with, and what they are told once it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.core.cards.done import title
from bot.core.cards.titles import subject
from bot.core.requests import Cause, Request, Stage
from bot.core.text.sanitize import clean

_REASON = 120


@dataclass(frozen=True, slots=True)
class Alert:
    """A page, or with the same key the word that it is over. All of it is plain text, some of it foreign."""

    key: str
    summary: str
    at: datetime
    source: str = "maskbot"  # what it is about: a host
    link: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    is_over: bool = False


def key_of(request: Request) -> str:
    """What a page and the word that it is over have in common: one page per request at a time."""
    return f"maskbot-{request.id}"


def summary(request: Request, cause: Cause) -> str:
    """Why somebody is woken up, in one line."""
    what = f"the {request.ask.change.noun} of {subject(request)}"
    if cause is Cause.UNDECIDED:
        reason = _reason(request)
        return f"Nobody decides: {what}, asked by {request.ask.requester_name}" + (f": {reason}" if reason else "")
    if cause is Cause.HOLD_REMOVED:
        return f"A hold is taken off again and again: {what}"
    since = request.target.unknown_since
    return f"Not known: whether {what} took effect" + (f", since {since.astimezone(UTC):%H:%M} UTC" if since else "")


def details(request: Request) -> Mapping[str, str]:
    """What a receiver may show beside it."""
    ask, approval = request.ask, request.approval
    known = {
        "request": request.id,
        "change": str(ask.change),
        "asked_by": ask.requester_name or ask.requester.user,
        "reason": _reason(request),
        "stage": str(request.stage),
        "approvals": f"{request.have} of {approval.need}" if approval else "",
        "why": clean(request.target.note, lines=1, width=_REASON),
    }
    return {name: said for name, said in known.items() if said}


def _reason(request: Request) -> str:
    return clean(request.ask.reason.replace("\n", " "), lines=1, width=_REASON)


def over(request: Request) -> str:
    """How it ended."""
    how = title(request).lower() if request.stage is Stage.DONE else str(request.stage)
    return f"Over: the {request.ask.change.noun} of {subject(request)} is {how}"
