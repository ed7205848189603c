"""Examine groups: their members, whether they may approve, and whether each rule could get its approvals."""

from collections.abc import Iterable, Iterator, Mapping

from bot.core.people.identity import PersonId, Place
from bot.core.people.quorum import approvers_by_key, count_approvals
from bot.core.people.same_person import SamePerson
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy, Rule
from bot.core.policy.rules.approval import approvals
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.policy.rules.permission import approvers_of
from bot.doctor.check_result import SLACK, CheckResult, why
from bot.errors import Unverified
from bot.ports import Directory

_MOST = 200  # people who are looked up; Slack allows about a hundred calls in a minute
Members = Mapping[str, frozenset[PersonId]]


def examine_groups(directory: Directory, policy: Policy) -> Iterator[CheckResult]:
    """Examine every group, and then every rule whose groups are known."""
    members: dict[str, frozenset[PersonId]] = {}
    yield from _listed(directory, policy)
    for group in policy.groups:
        try:
            members[group.name] = directory.members(group)
        except Unverified as error:
            yield CheckResult(SLACK, f"group {group.name}", is_ok=False, what=why(error), fix=_fix(group))
            continue
        yield _group(group, members[group.name])
        yield from _open_membership(directory, group)
    unfit = _unfit(directory, policy, members)
    for rule in policy.rules:
        if not rule.forbid and {*rule.ask, *rule.approve} <= members.keys():
            yield _quorum(rule, members, unfit, policy.same_person)


def _listed(directory: Directory, policy: Policy) -> Iterator[CheckResult]:
    """People whom the policy lists by their ids, and whom Slack does not know, or not as people of ours."""
    fix = "Correct the id in `groups` of policy.yaml (in Slack: a person's profile, three dots, *Copy member ID*)."
    listed = sorted({(one, group.name) for group in policy.groups for one in group.users})[:_MOST]
    for one, group in listed:
        check = f"{one.user} in group {group}"
        try:
            is_ours = is_one_of_us(directory.person(one, ()), policy)
        except Unverified as error:
            yield CheckResult(SLACK, check, is_ok=False, what=why(error), fix=fix)
            continue
        if not is_ours:
            what = "can neither ask nor approve: a guest, a bot, deactivated, or in another organisation"
            yield CheckResult(SLACK, check, is_ok=True, what=what, fix=fix, is_warning=True)


def _group(group: Group, found: frozenset[PersonId]) -> CheckResult:
    what = "" if found else "nobody is on call" if group.on_call else "it has no members"
    fix = "" if found else "Add people to it, or name another group in policy.yaml."
    return CheckResult(SLACK, f"group {group.name}", is_ok=bool(found), what=what, fix=fix)


def _fix(group: Group) -> str:
    if group.on_call:
        return (
            "Run the command of `on_call` in policy.yaml by hand, or fetch its URL: it has to answer within `deadline`."
        )
    if group.channel:
        return "Invite the bot to the channel, and check that it is private, internal and not archived."
    return "Correct `slack_group` in policy.yaml; user groups need the scope usergroups:read and a paid plan."


def _open_membership(directory: Directory, group: Group) -> Iterator[CheckResult]:
    """Groups that anybody may join, which the policy allows."""
    if group.channel and group.anybody_may_join and not directory.place(Place(group.channel)).is_private:
        what = "its channel is public: whoever joins it may approve"
        yield CheckResult(
            SLACK, f"membership of group {group.name}", is_ok=True, what=what, fix="Use a private channel."
        )


def _unfit(directory: Directory, policy: Policy, members: Members) -> frozenset[PersonId]:
    """Members of approving groups who may not approve: guests, bots, deactivated, of other organisations."""
    approving = [group for rule in policy.rules for group in rule.approve]
    asked = sorted({one for group in approving for one in members.get(group, ())})[:_MOST]
    return frozenset(one for one in asked if _is_unfit(directory, policy, one))


def _is_unfit(directory: Directory, policy: Policy, one: PersonId) -> bool:
    try:
        return not is_one_of_us(directory.person(one, ()), policy)
    except Unverified:
        return False


def _quorum(rule: Rule, members: Members, unfit: frozenset[PersonId], same_person: SamePerson) -> CheckResult:
    """Whether a rule has enough approvers for at least one requester; each request is checked again."""
    askers = {one for group in rule.ask for one in members[group]}
    without = (
        unfit | {one for one in _approving(rule, members) if same_person.are_one(one, asker)} for asker in askers
    )
    most = max((_reachable_approvals(rule, members, left_out, same_person) for left_out in without), default=0)
    check, left_out = f"quorum of rule {rule.name}", _unfit_note(rule, members, unfit)
    if most >= rule.need:
        return CheckResult(SLACK, check, is_ok=True, what=left_out.strip(" ()"))
    what = f"it needs {approvals(rule.need)} from {approvers_of(rule)}, and at most {most} can be given{left_out}"
    fix = f"Add people to its groups, or change line {rule.line} of policy.yaml."
    return CheckResult(SLACK, check, is_ok=False, what=what, fix=fix)


def _reachable_approvals(rule: Rule, members: Members, without: Iterable[PersonId], same_person: SamePerson) -> int:
    keys, key = {one.key for one in without}, same_person.key
    others = {group: [key(one) for one in members[group] if one.key not in keys] for group in rule.approve}
    return count_approvals(approvers_by_key(others, rule.approve), rule.approve, distinct=rule.distinct)


def _unfit_note(rule: Rule, members: Members, unfit: frozenset[PersonId]) -> str:
    count = len(unfit & _approving(rule, members))
    return f" ({count} in its groups cannot: guests, bots, deactivated or of another workspace)" if count else ""


def _approving(rule: Rule, members: Members) -> frozenset[PersonId]:
    return frozenset(one for group in rule.approve for one in members[group])
