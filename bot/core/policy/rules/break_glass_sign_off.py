"""Who may sign a break-glass sign-off: somebody who could have approved the change and had no part in it."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.approval import as_another_account, is_a_requester, requesters, requirements_for
from bot.core.policy.rules.permission import as_mentions, matching, not_known


def signer_is_somebody_else(facts: Facts, policy: Policy) -> Refuse | None:
    """The requester and whoever used break-glass cannot sign it off themselves."""
    used, signer = facts.request.break_glass, facts.voter
    if used is None or signer is None:
        return Refuse("no_sign_off", "No sign-off is owed for this.")
    if signer.id.is_same_as(used.by):
        return Refuse("own_sign_off", "You used break-glass, so somebody else must sign it off.")
    if any(signer.id.is_same_as(one) for one in requesters(facts)):
        why = "You asked for this, or it was handed over to you, so somebody else must sign it off."
        return Refuse("own_sign_off", why)
    if policy.same_person.are_one(signer.id, used.by) or is_a_requester(signer.id, facts, policy):
        return as_another_account("Your other account had a part in this, so somebody else must sign it off.")
    return None


def signer_could_approve(facts: Facts, policy: Policy) -> Refuse | None:
    """The signer could approve the change now; if no rule covers it any more, they could have approved it then."""
    then = facts.request.break_glass.groups if facts.request.break_glass else ()
    may = requirements_for(facts, policy).rule.approve if matching(facts, policy) else then
    if facts.voter and facts.voter.groups & set(may):
        return None
    if no := not_known(may, facts):
        return no
    why = "You could not have approved this, so you cannot sign it off."
    return Refuse("may_not_sign", why, f"{as_mentions(may)} may." if may else "Nobody may.")
