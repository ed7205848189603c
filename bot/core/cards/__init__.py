"""Every sentence the bot says, one module per card. A card is a pure function of the stored request."""

from datetime import datetime

from bot.core.cards import approval, closed, done, fallback, outcome_unknown, running
from bot.core.cards.blocks import Text
from bot.core.cards.details import details
from bot.core.cards.evidence import evidence
from bot.core.cards.rollout import card as rollout
from bot.core.cards.sentences import line, note, plain, refusal, reminder
from bot.core.cards.titles import is_rollout
from bot.core.requests import Outcome, Request, Stage

__all__ = ["details", "evidence", "fallback", "line", "note", "plain", "refusal", "reminder", "render"]

_BEFORE = (Stage.ASKED, Stage.WAITING, Stage.APPROVED)


def render(request: Request, *, now: datetime) -> Text:
    """The card of a request in its stored state."""
    if is_rollout(request) and not request.ask.extends and request.stage in (*_BEFORE, Stage.RUNNING, Stage.DONE):
        return rollout.card(request, now)
    match request.stage:
        case Stage.ASKED | Stage.WAITING | Stage.APPROVED:
            return approval.card(request, now)
        case Stage.RUNNING | Stage.DONE if _is_unknown(request):
            return outcome_unknown.card(request, now)
        case Stage.RUNNING:
            return running.card(request, now)
        case Stage.DONE:
            return done.card(request, now)
        case _:
            return closed.card(request, now)


def _is_unknown(request: Request) -> bool:
    """A change that is over without a known outcome is a mistake of ours, and still unknown to people."""
    target = request.target
    if request.stage is Stage.DONE:
        return target.outcome in (None, Outcome.UNKNOWN)
    return target.unknown_since is not None or target.outcome is Outcome.UNKNOWN
