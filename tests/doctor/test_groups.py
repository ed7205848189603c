"""Groups as the doctor sees them: who could approve, and what keeps a rule from ever getting its approvals."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.people.same_person import SamePerson
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy, Rule
from bot.doctor.check_result import CheckResult
from bot.doctor.groups import examine_groups
from bot.errors import Unverified

ALICE, BOB, CAROL, DORA = (PersonId("T1", f"U{name}") for name in ("ALICE", "BOB", "CAROL", "DORA"))
POLICY = Policy(
    digest="",
    teams=frozenset({"T1"}),
    channels=frozenset(),
    channel_prefixes=("inc-",),
    groups=(Group("eng"), Group("sre", channel="C1"), Group("dba", on_call="primary")),
    rules=(Rule("prod", ask=frozenset({"eng"}), need=2, approve=("sre", "dba"), distinct=True, line=7),),
    critical=(),
    guarded=(),
)


class People:
    """Who is in which group, as a test wants it."""

    def __init__(self) -> None:
        self.groups = {"eng": {ALICE, BOB}, "sre": {BOB, CAROL}, "dba": {DORA}}
        self.gone: set[PersonId] = set()
        self.silent: set[object] = set()
        self.is_private = True

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        if person in self.silent:
            raise Unverified("nobody knows")
        return Person(person, "", is_deleted=person in self.gone)

    def members(self, group: Group) -> frozenset[PersonId]:
        if group.name in self.silent:
            raise Unverified(f"nobody knows @{group.name}")
        return frozenset(self.groups[group.name])

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        return ()

    def is_in(self, person: PersonId, place: Place) -> bool:
        raise AssertionError("nobody asks")

    def place(self, place: Place) -> Place:
        return replace(place, is_private=self.is_private)


BOTH = SamePerson((frozenset({CAROL, DORA}),))


@pytest.fixture
def people() -> People:
    return People()


def check_results(people: People, policy: Policy = POLICY) -> dict[str, CheckResult]:
    return {one.check: one for one in examine_groups(people, policy)}


def test_groups_in_which_enough_could_approve_are_well(people: People) -> None:
    assert {check: one.is_ok for check, one in check_results(people).items()} == {
        "group eng": True,
        "group sre": True,
        "group dba": True,
        "quorum of rule prod": True,
    }


def test_one_who_is_in_both_groups_is_no_distinct_quorum(people: People) -> None:
    people.groups |= {"sre": {BOB}, "dba": {BOB}}
    finding = check_results(people)["quorum of rule prod"]
    assert not finding.is_ok
    needs = "it needs two approvals from @sre and @dba from different groups, and at most 1 can be given"
    assert finding.what == needs
    assert "line 7" in finding.fix


def test_people_who_may_approve_nothing_are_left_out_and_counted(people: People) -> None:
    people.gone = {DORA}
    finding = check_results(people)["quorum of rule prod"]
    assert not finding.is_ok
    why = "1 in its groups cannot: guests, bots, deactivated or of another workspace"
    assert finding.what.endswith(f"at most 1 can be given ({why})")
    people.groups["dba"] |= {CAROL}
    assert check_results(people)["quorum of rule prod"].is_ok


def test_who_is_not_known_may_be_fit(people: People) -> None:
    people.gone, people.silent = {DORA}, {DORA}
    assert check_results(people)["quorum of rule prod"].is_ok


@pytest.mark.parametrize(
    ("name", "fix"),
    [("sre", "Invite the bot"), ("dba", "Run the command of `on_call`"), ("eng", "Correct `slack_group`")],
)
def test_a_group_that_cannot_be_told_is_a_finding_with_its_own_fix(name: str, fix: str, people: People) -> None:
    people.silent = {name}
    findings = check_results(people)
    assert findings[f"group {name}"].what == f"nobody knows @{name}"
    assert findings[f"group {name}"].fix.startswith(fix)
    assert "quorum of rule prod" not in findings


def test_nobody_on_call_is_said_so(people: People) -> None:
    people.groups["dba"] = set()
    assert check_results(people)["group dba"].what == "nobody is on call"


def test_an_open_door_that_the_policy_allows_is_pointed_out(people: People) -> None:
    groups = (POLICY.groups[0], Group("sre", channel="C1", anybody_may_join=True), POLICY.groups[2])
    people.is_private = False
    finding = check_results(people, replace(POLICY, groups=groups))["membership of group sre"]
    assert (finding.is_ok, "whoever joins it may approve" in finding.what) == (True, True)


def test_two_accounts_of_one_person_are_one_approver(people: People) -> None:
    people.groups["sre"] = {CAROL}
    assert check_results(people)["quorum of rule prod"].is_ok
    found = check_results(people, replace(POLICY, same_person=BOTH))["quorum of rule prod"]
    assert not found.is_ok
    assert "at most 1 can be given" in found.what


def test_the_other_account_of_who_asks_is_no_approver(people: People) -> None:
    people.groups |= {"eng": {BOB}, "sre": {CAROL}}
    both = replace(POLICY, same_person=SamePerson((frozenset({BOB, CAROL}),)))
    assert check_results(people)["quorum of rule prod"].is_ok
    assert not check_results(people, both)["quorum of rule prod"].is_ok


def test_people_whom_slack_does_not_know_are_named_with_their_group(people: People) -> None:
    """A typo in an id would otherwise be somebody who never votes."""
    listed = replace(POLICY, groups=(Group("eng", users=frozenset({ALICE, BOB, CAROL})), *POLICY.groups[1:]))
    people.silent, people.gone = {BOB}, {CAROL}

    found = check_results(people, listed)

    unknown, left = found["UBOB in group eng"], found["UCAROL in group eng"]
    assert (unknown.is_ok, left.is_ok) == (False, True)
    assert "Copy member ID" in unknown.fix
    assert "deactivated" in left.what
    assert (left.is_warning, left.is_ok) == (True, True)
    assert "UALICE in group eng" not in found
