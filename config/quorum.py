"""Check whether enough people could ever approve, as far as the policy file lists them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.core.people.identity import PersonId
from bot.core.people.quorum import approvers_by_key, count_approvals
from bot.core.people.same_person import SamePerson
from bot.core.policy.calendar_and_limits import ExtraApprovals
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy, Rule
from bot.core.policy.rules.calendar_and_limits import Reason, apply_reasons
from bot.core.requests import ExtraApprovalReason, Verb

# A group that lists nobody has its members in Slack: there may be any number of them.
_ANYBODY = 99


def unreachable(rules: Sequence[Rule], groups: Iterable[Group], same_person: SamePerson) -> Iterator[tuple[int, str]]:
    """Rules under which nobody who asks could ever get enough approvals, with a sentence for each.

    If only Slack knows who may approve, that is checked for each request.
    """
    by_name = {group.name: group for group in groups}
    for position, rule in enumerate(rules):
        best = _most_approvals(rule, by_name, same_person)
        if not rule.forbid and best < rule.need:
            are = "approval is" if rule.need == 1 else "approvals are"
            could = f"{_could(best, rule)}, whoever asks" if best else "nobody approves their own request"
            yield position, f"{rule.need} {are} out of reach: {could}; name more people, or lower it"


def guarded_unreachable(policy: Policy) -> Iterator[tuple[Rule, str]]:
    """Rules that work for ordinary units, but under which no guarded unit could ever be approved."""
    by_name, need = {group.name: group for group in policy.groups}, policy.guarded_need
    for rule in policy.rules:
        best = _most_approvals(rule, by_name, policy.same_person)
        if not rule.forbid and rule.need <= best < need:
            could = _could(best, rule)
            yield (
                rule,
                f"guarded units need {need} approvals, and {could}: no guarded unit could be masked under this rule",
            )


def raised_unreachable(policy: Policy) -> Iterator[tuple[int, str]]:
    """Freezes, closed windows and limits that ask for more approvals than possible: an unintended refusal."""
    by_name = {group.name: group for group in policy.groups}
    for rule, what, extra_approvals, line in _extra_approvals(policy):
        groups, need = apply_reasons(rule, rule.need, (Reason(extra_approvals, ExtraApprovalReason("", "")),))
        best = _most_approvals(replace(rule, approve=groups), by_name, policy.same_person)
        if not extra_approvals.forbid and rule.need <= best < need:
            could = _could(best, replace(rule, approve=groups))
            yield (
                line,
                f"{what} asks for {need} approvals under rule {rule.name}, and {could}: nothing could be approved then",
            )


def never_lifted(policy: Policy) -> Iterator[str]:
    """Holds that nobody could ever lift: an owner has to ask, and somebody else has to approve."""
    by_name = {group.name: group for group in policy.groups}
    for owners in sorted(policy.holds.owners):
        for rule in (rule for rule in policy.rules if not rule.forbid and Verb.UNMASK in rule.verbs):
            others = (_without(one, rule, by_name, policy.same_person) for one in by_name[owners].users)
            best = max(others, default=_ANYBODY)
            if best < max(1, rule.need):
                yield f"no hold of {owners} could ever be lifted under rule {rule.name}: {_could(best, rule)}"


def _extra_approvals(policy: Policy) -> Iterator[tuple[Rule, str, ExtraApprovals, int]]:
    """Every rule that asks for approvals, with the freezes, windows and limits that may raise them."""
    for rule in (rule for rule in policy.rules if not rule.forbid):
        for freeze in policy.freezes:
            yield rule, f"change freeze {freeze.name}", freeze.extra_approvals, freeze.line
        if rule.maintenance_windows:
            yield rule, "a closed window", rule.outside, rule.line
        if policy.limits.beyond:
            yield rule, "what is beyond the limits", policy.limits.beyond, policy.limits.line


def _most_approvals(rule: Rule, groups: Mapping[str, Group], same_person: SamePerson) -> int:
    """The most approvals that others could give to any requester."""
    askers = {person for name in rule.ask for person in groups[name].users}
    somebody_else = {None} if any(not groups[name].users for name in rule.ask) else set()
    return max((_without(asker, rule, groups, same_person) for asker in {*askers, *somebody_else}), default=0)


def _without(asker: PersonId | None, rule: Rule, groups: Mapping[str, Group], same_person: SamePerson) -> int:
    unknown = [name for name in rule.approve if not groups[name].users]
    listed = [name for name in rule.approve if groups[name].users]
    if unknown and not rule.distinct:
        return _ANYBODY
    left_out = same_person.key(asker) if asker else None
    members = {name: {same_person.key(one) for one in groups[name].users} - {left_out} for name in listed}
    people = approvers_by_key(members, listed)
    return count_approvals(people, listed, distinct=rule.distinct) + len(unknown)


def _could(number: int, rule: Rule) -> str:
    if rule.distinct:
        return f"at most {number} can come from different groups"
    return f"at most {number} {'person' if number == 1 else 'people'} can approve"
