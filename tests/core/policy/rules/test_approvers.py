"""Who could approve: the people of the groups that decide, without who asks and without who may approve nothing."""

from dataclasses import replace
from datetime import timedelta

from bot.core.people.identity import Shift
from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze
from bot.core.policy.model import Facts, Policy, Rule, Unknown
from bot.core.policy.rules.approvers import Approvers, who_could_approve
from bot.core.time.calendar import Weekly
from tests.core.situations import ALICE, BOB, CAROL, DAVE, MEMBERS, NOW, POLICY, PROD, facts, request


def could(given: Facts, policy: Policy = POLICY) -> tuple[Approvers, ...]:
    return who_could_approve(given, policy)


def test_they_are_named_by_group() -> None:
    both = replace(POLICY, rules=(replace(PROD, approve=("sre", "dba")),))
    given = facts(members=MEMBERS | {"dba": frozenset({DAVE.id})})
    assert could(given, both) == (Approvers("sre", (BOB.id, CAROL.id)), Approvers("dba", (DAVE.id,)))


def test_who_asks_and_who_may_approve_nothing_are_left_out() -> None:
    mine = facts(request(by=BOB), requester=BOB, unfit=frozenset({CAROL.id}))
    assert could(mine) == (Approvers("sre"),)


def test_who_is_on_call_is_named_with_the_end_of_the_shift() -> None:
    end = NOW + timedelta(hours=1)
    given = facts(shifts={"sre": (Shift(BOB.id, end, "bob"), Shift(ALICE.id, end, "alice"))})
    assert could(given) == (Approvers("sre", (BOB.id, CAROL.id), (Shift(BOB.id, end, "bob"),)),)


def test_a_group_that_nobody_can_tell_says_so() -> None:
    given = facts(unknown={"sre": Unknown("Slack did not say.")})
    assert could(given) == (Approvers("sre", unknown="Slack did not say."),)


def test_nobody_could_where_it_is_forbidden_or_no_rule_covers_it() -> None:
    assert could(facts(), replace(POLICY, rules=(PROD, Rule("no", forbid="payday")))) == ()
    assert could(facts(), replace(POLICY, rules=())) == ()


def test_nobody_could_approve_the_mask_of_a_critical_unit() -> None:
    assert could(facts(request("ssh.service"))) == ()


def test_in_a_freeze_they_are_those_whom_it_names() -> None:
    always = (Weekly(frozenset(range(7)), NOW.min.time(), NOW.min.time(), 1),)
    quiet = Freeze("quiet", always, extra_approvals=ExtraApprovals(more=0, approve=("eng",)))
    (approvers,) = could(facts(), replace(POLICY, freezes=(quiet,)))
    assert (approvers.group, approvers.people) == ("eng", (BOB.id, CAROL.id))
