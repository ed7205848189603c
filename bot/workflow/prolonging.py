"""A mask that is to end later, or not at all: asked for and decided like a mask, and then only written down.

Nothing is done to the host, so nobody looks at it: what is judged is the unit as it was when the mask was approved.
A host that is away can so be kept from coming back with its unit running.
"""

from dataclasses import replace
from datetime import datetime

from bot.core.changes import Ask, Outcome, Prolonging, Request, Stage, Term
from bot.core.people import PersonId
from bot.core.policy import Allow
from bot.core.rules.ends import EXTENSION
from bot.core.steps import Done
from bot.core.units import Snapshot
from bot.ports import Claim
from bot.workflow.ending import end
from bot.workflow.finishing import Ending, finish, mark_prolonged
from bot.workflow.parts import Parts


def prolonging(mask: Request, term: Term | None, by: PersonId, name: str) -> Ask:
    """The ask for the same mask with another end, or with none."""
    change = replace(mask.ask.change, unit=mask.target.unit, term=term, window=None)
    return Ask(change, by, name, mask.ask.place, prolongs=mask.id, instead_of=mask.standing.ends_at)


def keeping(mask: Request, review: datetime, by: PersonId, name: str) -> Ask:
    """The ask for the same hold with another review."""
    hold = replace(mask.hold, review=review) if mask.hold else None
    change = replace(mask.ask.change, unit=mask.target.unit, window=None, hold=hold)
    return Ask(change, by, name, mask.ask.place, prolongs=mask.id, instead_of=mask.hold.review if mask.hold else None)


def before_our_mask(parts: Parts, request: Request) -> Snapshot | None:
    """What the unit was before the mask that this request prolongs; None if it prolongs none."""
    return parts.store.get(request.ask.prolongs).target.before if request.ask.prolongs else None


def prolong(parts: Parts, request: Request, decision: Allow, *, claim: Claim) -> Request:
    """Write the other end into the mask, then the outcome; a crash between the two does it once all the same."""
    ask, term, hold = request.ask, request.ask.change.term, request.ask.change.hold
    until = hold.review if hold else term.until if term else None
    now = parts.clock.now()
    by = Prolonging(request.id, request.owner, request.owner_name, now, until, ask.reason)
    if not mark_prolonged(parts, ask.prolongs, by, is_approved=decision.rule != EXTENSION):
        because = "The mask was taken back before this came to its turn."
        return end(parts, request, Stage.CANCELLED, because, code="no_end", claim=claim)
    return finish(parts, request, Ending(Done(Outcome.PROLONGED)), claim=claim)
