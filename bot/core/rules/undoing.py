"""Taking back what we did ourselves needs nobody's approval for a while: nobody may be kept from an undo."""

from bot.core.changes import Verb
from bot.core.question import Allow, Facts, Policy

UNDO = "undo of our own mask"


def own_mask_is_taken_back(facts: Facts, policy: Policy) -> Allow | None:
    """For who asked for it, owns it or approved it, if they ask in time; else it is like any other request."""
    mask = facts.own_mask
    if facts.request.ask.change.verb is not Verb.UNMASK or mask is None or not mask.can_be_undone:
        return None
    if mask.finished_at is None or facts.request.asked_at > (mask.undo_until or mask.finished_at + policy.undo_window):
        return None
    entitled = (*mask.requesters, *(vote.voter for vote in mask.counted))
    if facts.requester.id.key not in {one.key for one in entitled}:
        return None
    return Allow(UNDO, f"it takes back the mask that {mask.ask.requester_name} asked for")
