"""Undo without approval: for a while, nobody's approval is needed to undo what the bot did."""

from bot.core.policy.model import Allow, Facts, Moment, Policy, Refuse
from bot.core.policy.rules.permission import not_known
from bot.core.requests import Request, Verb

UNDO = "undo of our own mask"


def own_mask_is_undone(facts: Facts, policy: Policy) -> Allow | Refuse | None:
    """The requester, the owner, approvers and who is on call may undo a mask without approval in time.

    Later, an undo is like any request, and so is that of an adopted mask. A hold is lifted by its owners alone, and
    never without approval.
    """
    mask = facts.own_mask
    if facts.request.ask.change.verb is not Verb.UNMASK or mask is None or not mask.can_be_undone or mask.hold:
        return None
    if mask.ask.change.adopt:  # the bot did not make it, and people approved its end only
        return None
    if mask.finished_at is None or facts.request.asked_at > (
        mask.undo_until or mask.finished_at + policy.undo_without_approval_for
    ):
        return None
    because = f"undo of the mask that {mask.ask.requester_name} asked for"
    if facts.requester.id.key in _took_part(mask):
        return Allow(UNDO, because)
    if not facts.requester.groups.isdisjoint(policy.undo_by):
        return Allow(UNDO, f"{because}, and {facts.requester.name} is on call")
    was_allowed = facts.moment is Moment.ACT and facts.request.approval is None
    return not_known(policy.undo_by, facts) if was_allowed else None


def _took_part(mask: Request) -> set[tuple[str, str]]:
    """The keys of the mask's requesters and owners, its approvers, and of whoever used break-glass for it."""
    break_glass = [mask.break_glass.by] if mask.break_glass else []
    return {one.key for one in (*mask.requesters, *(vote.voter for vote in mask.counted_votes), *break_glass)}
