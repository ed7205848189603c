"""Write a later expiry of a mask, or a later review date of a hold, into the request that made it."""

from bot.core.cards.not_started import UNDONE_BEFORE
from bot.core.policy.model import Allow
from bot.core.policy.rules.expiry import EXTENSION
from bot.core.requests import Extension, Outcome, Request, Stage
from bot.core.steps import Done
from bot.ports import Claim
from bot.workflow.lifecycle.finish import Ending, finish
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import end
from bot.workflow.requests.marks import mark_extended


def extend(deps: Deps, request: Request, decision: Allow, *, claim: Claim) -> Request:
    """Write the new expiry into the mask, then the outcome; repeated after a crash between the two, with one effect."""
    ask, term, hold = request.ask, request.ask.change.duration, request.ask.change.hold
    until = hold.review if hold else term.until if term else None
    now = deps.clock.now()
    by = Extension(request.id, request.owner, request.owner_name, now, until, ask.reason)
    if not mark_extended(deps, ask.extends, by, is_approved=decision.rule != EXTENSION):
        return end(deps, request, Stage.CANCELLED, UNDONE_BEFORE, code="no_expiry", claim=claim)
    return finish(deps, request, Ending(Done(Outcome.EXTENDED)), claim=claim)
