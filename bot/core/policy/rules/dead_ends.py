"""Refuse requests that nobody could approve, at once, with the reason and what would help."""

from collections.abc import Collection, Iterable
from itertools import chain, zip_longest

from bot.core.people.identity import PersonId
from bot.core.people.quorum import approvers_by_key, count_approvals
from bot.core.policy.model import Facts, Moment, Policy, Refuse, Rule
from bot.core.policy.rules import break_glass
from bot.core.policy.rules.approval import approvals, is_a_requester, requirements_for
from bot.core.policy.rules.permission import approvers_of, matching, not_known
from bot.core.policy.rules.undo import own_mask_is_undone


def enough_people_could_approve(facts: Facts, policy: Policy) -> Refuse | None:
    """Report a dead end at once, not after everybody has waited for nothing.

    People who are not verified might approve.
    """
    if facts.moment not in (Moment.ASK, Moment.LOOKED) or _needs_nobody(facts, policy):
        return None
    wanted, rule = requirements_for(facts, policy), requirements_for(facts, policy).rule
    most = _reachable_approvals(facts, rule, policy)
    if most >= wanted.need:
        return None
    if no := not_known(rule.approve, facts):
        return no
    if not all(group in facts.members for group in rule.approve):
        return None
    could = f"at most {most} can come from different groups" if rule.distinct else f"at most {most} can approve"
    more = f" ({'; '.join(raised.why for raised in wanted.raised)})" if wanted.raised else ""
    why = f"Rule `{rule.name}` needs {approvals(wanted.need)} from {approvers_of(rule)}{more}; {could} besides you"
    hint = "Add people to the group, or change the rule in policy.yaml"
    where = f" (line {rule.line})" if rule.line else ""
    return Refuse("nobody_could_approve", f"{why}{_unfit_note(facts, rule)}.", f"{hint}{where}.")


def in_question(facts: Facts, policy: Policy) -> tuple[PersonId, ...]:
    """Possible approvers who have to be looked up, one of each group in turn."""
    if not matching(facts, policy) or _needs_nobody(facts, policy) or own_mask_is_undone(facts, policy):
        return ()
    groups = (sorted(facts.members.get(group, ())) for group in requirements_for(facts, policy).rule.approve)
    others = (one for one in chain(*zip_longest(*groups)) if one and not is_a_requester(one, facts, policy))
    return tuple(dict.fromkeys(others))


def are_enough(people: Collection[PersonId], facts: Facts, policy: Policy) -> bool:
    """Whether these people alone could give all approvals."""
    wanted = requirements_for(facts, policy)
    return _approvals_by(people, facts, wanted.rule, policy) >= wanted.need


def _needs_nobody(facts: Facts, policy: Policy) -> bool:
    """Whether the requester uses break-glass, so that no approver is needed."""
    return facts.request.ask.break_glass and break_glass.objection(facts.requester, facts, policy) is None


def _reachable_approvals(facts: Facts, rule: Rule, policy: Policy) -> int:
    """The most approvals there could be, without the requester and without those who may not approve."""
    others = (one for one in _everybody(facts, rule) - facts.unfit if not is_a_requester(one, facts, policy))
    return _approvals_by(others, facts, rule, policy)


def _approvals_by(people: Iterable[PersonId], facts: Facts, rule: Rule, policy: Policy) -> int:
    accounts, key = {one.key for one in people}, policy.same_person.key
    members = {
        group: [key(one) for one in facts.members.get(group, ()) if one.key in accounts] for group in rule.approve
    }
    return count_approvals(approvers_by_key(members, rule.approve), rule.approve, distinct=rule.distinct)


def _unfit_note(facts: Facts, rule: Rule) -> str:
    unfit = facts.unfit & _everybody(facts, rule)
    return f" ({len(unfit)} more cannot: guests, bots or deactivated)" if unfit else ""


def _everybody(facts: Facts, rule: Rule) -> frozenset[PersonId]:
    return frozenset(one for group in rule.approve for one in facts.members.get(group, ()))
