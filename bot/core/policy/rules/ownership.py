"""Ownership: to whom a request may be handed over: somebody who could have asked for it and has not voted on it."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules import identity, permission


def new_owner_is_another(facts: Facts, _policy: Policy) -> Refuse | None:
    """The new owner must be somebody else. In these rules `facts.requester` is the new owner."""
    if not facts.requester.id.is_same_as(facts.request.owner):
        return None
    return Refuse("owns_it", f"{facts.requester.name} already owns this.")


def new_owner_could_have_asked(facts: Facts, policy: Policy) -> Refuse | None:
    """A transfer must not give people what they may not ask for."""
    asked = (identity.requester_is_one_of_us, permission.some_rule_matches, permission.requester_may_ask)
    no = next((answer for rule in asked if (answer := rule(facts, policy)) is not None), None)
    if no is None or no.code in (permission.NOT_KNOWN, permission.NOT_KNOWN_YET):
        return no
    why = f"{facts.requester.name} could not have asked for this, so it cannot be handed to them."
    return Refuse(no.code, why, no.hint)


def new_owner_has_not_voted(facts: Facts, policy: Policy) -> Refuse | None:
    """An approver, or whoever used break-glass, cannot become the owner until the request is over."""
    request = facts.request
    decided = [vote.voter for vote in request.counted_votes] + ([request.break_glass.by] if request.break_glass else [])
    if request.stage.is_final or not any(policy.same_person.are_one(facts.requester.id, one) for one in decided):
        return None
    return Refuse("approved_it", f"{facts.requester.name} approved or denied this, so they cannot own it as well.")
