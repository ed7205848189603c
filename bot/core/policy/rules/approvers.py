"""Who could approve a change: the groups that its rules name and their members, as far as they are known."""

from dataclasses import dataclass

from bot.core.people.identity import PersonId, Shift
from bot.core.policy.model import Facts, Policy
from bot.core.policy.rules import critical_units
from bot.core.policy.rules.approval import is_a_requester, requirements_for
from bot.core.policy.rules.permission import matching


@dataclass(frozen=True, slots=True)
class Approvers:
    """One group and its members who could approve; `unknown` says why the members are not known."""

    group: str
    people: tuple[PersonId, ...] = ()
    shifts: tuple[Shift, ...] = ()  # where the group is an on-call group
    unknown: str = ""


def who_could_approve(facts: Facts, policy: Policy) -> tuple[Approvers, ...]:
    """The possible approvers, without the requester, guests, bots and deactivated accounts.

    Empty if the change is refused.
    """
    rules = matching(facts, policy)
    if not rules or any(rule.forbid for rule in rules) or critical_units.is_never_allowed(facts, policy):
        return ()
    return tuple(_approvers(group, facts, policy) for group in requirements_for(facts, policy).rule.approve)


def _approvers(group: str, facts: Facts, policy: Policy) -> Approvers:
    if group in facts.unknown:
        return Approvers(group, unknown=facts.unknown[group].why)
    members = facts.members.get(group, frozenset()) - facts.unfit
    people = tuple(one for one in sorted(members) if not is_a_requester(one, facts, policy))
    shifts = tuple(shift for shift in facts.shifts.get(group, ()) if shift.person in people)
    return Approvers(group, people, shifts)
