"""Freezes, windows and bounds: they ask for more, never for less, never of an undo, and say no only where told to."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from bot.core.people.identity import Person
from bot.core.policy.calendar_and_limits import BlastRadius, ExtraApprovals, Freeze, MaintenanceWindow, RequestLimits
from bot.core.policy.decide import decide, explain
from bot.core.policy.hold import HoldPolicy
from bot.core.policy.model import Allow, Decision, Explanation, Facts, Moment, NeedsApproval, Policy, Refuse
from bot.core.policy.rules.calendar_and_limits import limits_to_keep
from bot.core.requests import Aftercare, Duration, ExtraApprovalReason, Hold, NewKind, Verb
from bot.core.requests import ScheduledWindow as RequestWindow
from bot.core.systemd.units import Layer
from bot.core.time.calendar import Once, Weekly
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    POLICY,
    PROD,
    facts,
    looked,
    masked,
    our_mask,
    request,
    snapshot,
)

MEMBERS = {
    "eng": frozenset({ALICE.id, BOB.id, CAROL.id}),
    "sre": frozenset({BOB.id, CAROL.id}),
    "lead": frozenset({CAROL.id}),
}
SUNDAYS = (Weekly(frozenset({6}), time(), time(), 1),)  # the first of March 2026 is one
MONDAYS = (Weekly(frozenset({0}), time(), time(), 1),)
MONDAY = datetime(2026, 3, 2, tzinfo=NOW.tzinfo)
QUIET = Freeze("quiet", SUNDAYS, because="nobody is there")
NIGHTS = MaintenanceWindow("nights", MONDAYS)
IN_WINDOW = replace(PROD, maintenance_windows=("nights",))


def with_(*, rules: tuple[Any, ...] = (PROD,), **parts: Any) -> Policy:
    return replace(POLICY, rules=rules, **parts)


def approval_for(given: Facts, policy: Policy) -> NeedsApproval:
    answer = decide(replace(given, members=MEMBERS), policy)
    assert isinstance(answer, NeedsApproval), answer
    return answer


def test_in_a_freeze_one_more_has_to_agree_and_the_answer_says_why_and_until_when() -> None:
    answer = approval_for(facts(), with_(freezes=(QUIET,)))
    assert (answer.need, answer.groups) == (2, ("sre",))
    assert answer.raised == (ExtraApprovalReason("freeze", "change freeze quiet (nobody is there)", MONDAY),)
    assert answer.calendar_changes_at == MONDAY


def test_before_a_freeze_the_answer_is_the_usual_one_and_says_when_it_may_change() -> None:
    answer = approval_for(facts(), with_(freezes=(Freeze("later", MONDAYS),)))
    assert (answer.need, answer.raised, answer.calendar_changes_at) == (1, (), MONDAY)


def test_what_is_asked_for_a_window_of_its_own_is_judged_by_the_calendar_of_that_time() -> None:
    tomorrow = replace(request().ask.change, scheduled_window=RequestWindow(MONDAY, MONDAY + timedelta(hours=1)))
    later = replace(request(), ask=replace(request().ask, change=tomorrow))
    answer = approval_for(facts(later), with_(freezes=(QUIET,)))
    assert (answer.need, answer.raised) == (1, ())
    closed = approval_for(facts(later), with_(freezes=(Freeze("monday", MONDAYS),)))
    assert (closed.need, closed.calendar_changes_at) == (2, MONDAY + timedelta(days=1))
    assert approval_for(facts(later), with_(rules=(IN_WINDOW,), maintenance_windows=(NIGHTS,))).need == 1


def test_a_freeze_that_is_over_for_good_changes_nothing() -> None:
    over = (Once(datetime(2026, 1, 1), datetime(2026, 1, 2)),)  # noqa: DTZ001 - on the wall
    answer = approval_for(facts(), with_(freezes=(Freeze("old", over),)))
    assert (answer.need, answer.calendar_changes_at) == (1, None)


EXTRA = {
    "one more": (ExtraApprovals(), 1, 2, ("sre",)),
    "two more": (ExtraApprovals(more=2), 1, 3, ("sre",)),
    "at least two": (ExtraApprovals(more=0, need=2), 1, 2, ("sre",)),
    "at least two, where there are three": (ExtraApprovals(more=0, need=2), 3, 3, ("sre",)),
    "others, as many": (ExtraApprovals(more=0, approve=("lead",)), 1, 1, ("lead",)),
}


@pytest.mark.parametrize(("extra", "need", "wanted", "groups"), EXTRA.values(), ids=EXTRA)
def test_it_asks_for(extra: ExtraApprovals, need: int, wanted: int, groups: tuple[str, ...]) -> None:
    policy = with_(rules=(replace(PROD, need=need),), freezes=(replace(QUIET, extra_approvals=extra),))
    answer = approval_for(facts(moment=Moment.VOTE), policy)
    assert (answer.need, answer.groups) == (wanted, groups)


def test_of_two_that_hold_at_once_the_one_that_asks_for_more_counts_and_both_are_named() -> None:
    strict = Freeze("strict", SUNDAYS, extra_approvals=ExtraApprovals(more=0, need=3, approve=("lead", "sre")))
    for freezes in ((QUIET, strict), (strict, QUIET)):
        answer = approval_for(facts(moment=Moment.VOTE), with_(freezes=freezes))
        assert (answer.need, answer.groups, len(answer.raised)) == (3, ("lead", "sre"), 2)


def test_approvals_from_different_groups_are_never_more_than_there_are_groups() -> None:
    apart = replace(PROD, need=2, approve=("sre", "lead"), distinct=True)
    answer = approval_for(facts(moment=Moment.VOTE), with_(rules=(apart,), freezes=(QUIET,)))
    assert (answer.need, answer.distinct) == (2, True)


SCOPES = {
    "another environment": replace(QUIET, environments=frozenset({"stage"})),
    "another host group": replace(QUIET, host_groups=frozenset({"db"})),
    "another unit": replace(QUIET, units=("nginx*",)),
}


@pytest.mark.parametrize("freeze", SCOPES.values(), ids=SCOPES)
def test_a_freeze_is_none_for(freeze: Freeze) -> None:
    answer = approval_for(facts(), with_(freezes=(freeze,)))
    assert (answer.need, answer.raised, answer.calendar_changes_at) == (1, (), None)


def test_a_freeze_matches_any_name_of_the_unit() -> None:
    named = replace(QUIET, units=("cron.*",), environments=frozenset({"prod"}), host_groups=frozenset({"web"}))
    assert approval_for(facts(), with_(freezes=(named,))).need == 2


def test_outside_of_its_window_a_rule_asks_for_more_and_says_when_it_opens() -> None:
    policy = with_(rules=(IN_WINDOW,), maintenance_windows=(NIGHTS,))
    answer = approval_for(facts(), policy)
    assert (answer.need, answer.calendar_changes_at) == (2, MONDAY)
    assert answer.raised == (ExtraApprovalReason("outside_window", "outside the maintenance window nights", MONDAY),)
    inside = approval_for(facts(now=MONDAY), policy)
    assert (inside.need, inside.raised, inside.calendar_changes_at) == (1, (), MONDAY + timedelta(days=1))


def test_a_window_that_never_opens_again_is_always_closed() -> None:
    over = MaintenanceWindow("nights", (Once(datetime(2026, 1, 1), datetime(2026, 1, 2)),))  # noqa: DTZ001 - on the wall
    answer = approval_for(facts(), with_(rules=(IN_WINDOW,), maintenance_windows=(over,)))
    assert answer.raised == (ExtraApprovalReason("outside_window", "outside the maintenance window nights", None),)


def test_the_window_of_any_rule_that_matches_counts() -> None:
    lenient = replace(IN_WINDOW, name="lenient", need=0, outside=ExtraApprovals(more=0, need=2))
    assert approval_for(facts(), with_(rules=(PROD, lenient), maintenance_windows=(NIGHTS,))).need == 2


FLAT = {
    "a freeze": (
        with_(freezes=(replace(QUIET, extra_approvals=ExtraApprovals(forbid="the books are closed.")),)),
        Refuse(
            "freeze",
            "Change freeze quiet (nobody is there): the books are closed.",
            "It ends at 2026-03-02 00:00 UTC.",
        ),
    ),
    "a closed window": (
        with_(
            rules=(replace(IN_WINDOW, outside=ExtraApprovals(forbid="only at night")),),
            maintenance_windows=(replace(NIGHTS, times=()),),
        ),
        Refuse("outside_window", "Outside the maintenance window nights: only at night.", ""),
    ),
    "a bound": (
        with_(limits=RequestLimits(hosts=2, beyond=ExtraApprovals(forbid="call the lead first"))),
        Refuse("blast_radius", "3 hosts within 10 minutes, 2 allowed: call the lead first.", ""),
    ),
}


@pytest.mark.parametrize(("policy", "no"), FLAT.values(), ids=FLAT)
def test_a_flat_no_is_said_only_where_the_policy_says_it(policy: Policy, no: Refuse) -> None:
    assert decide(facts(blast_radius=BlastRadius(hosts=3)), policy) == no


def turned(kind: NewKind | None = None, by: Person = CAROL, **wanted: Any) -> Facts:
    """A mask of ours that lasts until then is extended, kept, or becomes a hold."""
    mask = replace(our_mask(), aftercare=Aftercare(expires_at=None if kind else NOW + timedelta(hours=1)))
    asked = request(by=by, **wanted)
    asked = replace(asked, ask=replace(asked.ask, extends="r0", new_kind=kind))
    return looked(snapshot(), asked, requester=by, own_mask=mask)


LASTING = (turned(by=ALICE), turned(NewKind.HELD, ALICE, hold=Hold("sre", NOW + timedelta(days=90))))
ENDING = (
    turned(duration=Duration(until=NOW + timedelta(hours=2))),
    turned(NewKind.ENDING, duration=Duration(until=NOW + timedelta(hours=2))),
    turned(NewKind.LOOKED_AT),
)


def test_what_makes_a_mask_last_is_raised_like_a_new_one_and_nothing_else_of_it_is() -> None:
    policy = with_(freezes=(QUIET,), holds=HoldPolicy(frozenset({"sre"})))
    assert [approval_for(given, policy).need for given in LASTING] == [2, 2]
    assert [approval_for(given, policy).calendar_changes_at for given in LASTING] == [MONDAY, MONDAY]
    assert [approval_for(given, policy).need for given in ENDING] == [1, 1, 1]
    no = with_(freezes=(replace(QUIET, extra_approvals=ExtraApprovals(forbid="the books are closed")),))
    assert [getattr(decide(given, no), "code", "") for given in (*LASTING, *ENDING)] == ["freeze", "freeze", "", "", ""]


def undo(by: Any = ALICE) -> Facts:
    given = request("cron.service", Verb.UNMASK, by=by)
    return looked(masked(Layer.PERSISTENT), given, requester=by, own_mask=our_mask(), blast_radius=BlastRadius(99, 99))


@pytest.mark.parametrize(("policy", "_"), FLAT.values(), ids=FLAT)
def test_an_undo_goes_on_whatever_they_say(policy: Policy, _: Refuse) -> None:
    assert isinstance(decide(undo(), policy), Allow)


def test_an_unmask_that_needs_a_vote_needs_no_more_of_them() -> None:
    answer = decide(replace(undo(CAROL), own_mask=None), with_(freezes=(QUIET,), limits=RequestLimits(hosts=1)))
    assert isinstance(answer, NeedsApproval)
    assert (answer.need, answer.raised, answer.calendar_changes_at) == (1, (), None)


BEYOND = {
    "as many hosts as are allowed": (BlastRadius(hosts=3), (), 1),
    "one more host": (BlastRadius(hosts=4), ("4 hosts within 10 minutes, 3 allowed",), 3),
    "as many units as are allowed": (BlastRadius(units=5), (), 1),
    "one more unit": (BlastRadius(units=6), ("6 units on web-01 within 10 minutes, 5 allowed",), 3),
}


@pytest.mark.parametrize(("reach", "why", "need"), BEYOND.values(), ids=BEYOND)
def test_beyond_a_bound_the_most_that_the_policy_asks_for_anywhere_is_asked_for(
    reach: BlastRadius, why: tuple[str, ...], need: int
) -> None:
    elsewhere = replace(PROD, name="db", environments=frozenset({"db"}), need=3)
    policy = with_(rules=(PROD, elsewhere), limits=RequestLimits(hosts=3, units_per_host=5))
    answer = approval_for(facts(blast_radius=reach, moment=Moment.VOTE), policy)
    assert (answer.need, tuple(raised.why for raised in answer.raised)) == (need, why)
    assert {raised.code for raised in answer.raised} <= {"blast_radius"}
    # what was allowed within the limits must still be within them as it begins, and what was allowed beyond need not
    given = facts(blast_radius=reach, moment=Moment.ACT)
    assert limits_to_keep(given, policy) == (None if why else policy.limits)


def test_nothing_is_counted_again_for_what_no_limit_applies_to() -> None:
    policy = with_(limits=RequestLimits(hosts=3))
    assert limits_to_keep(facts(), policy) is None
    assert limits_to_keep(undo(), with_(limits=RequestLimits(hosts=100))) is None
    given = facts(blast_radius=BlastRadius())
    reapplied = replace(given.request, ask=replace(given.request.ask, by_itself=True, repeats="r0"))
    assert limits_to_keep(replace(given, request=reapplied), policy) is None


def test_where_only_one_of_them_is_limited_the_other_is_not() -> None:
    assert RequestLimits(hosts=1).allow(BlastRadius(hosts=1, units=9))
    assert RequestLimits(units_per_host=1).allow(BlastRadius(hosts=9, units=1))


COUNTED = {
    "a mask alone": ((), (), (1, 1)),
    "the same unit elsewhere": ((("web-02", "cron.service"),), (), (2, 1)),
    "the same unit here, again": ((("web-01", "cron.service"),), (), (1, 1)),
    "another unit here and two elsewhere": (
        (("web-01", "atd.service"), ("web-02", "atd.service"), ("web-02", "cron.service")),
        (),
        (2, 2),
    ),
    "a rollout": ((("web-02", "atd.service"), ("db-01", "atd.service")), ("web-01", "web-03"), (4, 1)),
}


@pytest.mark.parametrize(("lately", "hosts", "reach"), COUNTED.values(), ids=COUNTED)
def test_each_host_counts_once_and_each_unit_of_its_own_host(
    lately: tuple[tuple[str, str], ...], hosts: tuple[str, ...], reach: tuple[int, int]
) -> None:
    assert BlastRadius.of(lately, "web-01", "cron.service", hosts=hosts) == BlastRadius(*reach)


def test_what_is_beyond_a_bound_is_asked_again_when_that_is_long_enough_ago() -> None:
    policy = with_(limits=RequestLimits(hosts=3, within=timedelta(minutes=7)))
    assert approval_for(facts(blast_radius=BlastRadius(hosts=4)), policy).calendar_changes_at == NOW + timedelta(
        minutes=7
    )
    assert approval_for(facts(blast_radius=BlastRadius(hosts=3)), policy).calendar_changes_at is None


def test_what_is_asked_for_beyond_a_bound_can_be_said() -> None:
    policy = with_(limits=RequestLimits(hosts=1, beyond=ExtraApprovals(more=0, approve=("lead",))))
    assert approval_for(facts(blast_radius=BlastRadius(hosts=2)), policy).groups == ("lead",)
    unbounded = approval_for(facts(blast_radius=BlastRadius(hosts=2)), with_(limits=RequestLimits(hosts=None)))
    assert (unbounded.need, unbounded.groups) == (1, ("sre",))


def test_a_dead_end_names_what_asks_for_so_much() -> None:
    answer: Decision = decide(facts(), with_(rules=(replace(PROD, need=2),), freezes=(QUIET,)))
    assert isinstance(answer, Refuse)
    assert answer.code == "nobody_could_approve"
    assert (
        "three approvals from @sre (change freeze quiet (nobody is there)); at most 2 can approve besides you"
        in answer.reason
    )


def lines(given: Facts, policy: Policy) -> list[Explanation]:
    return [one for one in explain(replace(given, members=MEMBERS), policy) if one.line and one.line != PROD.line]


TOLD = {
    "a freeze that is on": (facts(), {"freezes": (QUIET,)}, True, "until 2026-03-02 00:00 UTC: 1 more approve"),
    "a freeze to come": (facts(), {"freezes": (Freeze("quiet", MONDAYS),)}, False, "it begins 2026-03-02 00:00 UTC"),
    "a freeze without times": (facts(), {"freezes": (Freeze("quiet", ()),)}, False, "it is not now"),
    "a freeze of something else": (
        facts(),
        {"freezes": (SCOPES["another unit"],)},
        False,
        "no name of cron.service fits nginx*",
    ),
    "a flat no": (
        facts(),
        {"freezes": (replace(QUIET, extra_approvals=ExtraApprovals(forbid="closed")),)},
        True,
        "until 2026-03-02 00:00 UTC: it forbids: closed",
    ),
    "others": (
        facts(),
        {"freezes": (replace(QUIET, extra_approvals=ExtraApprovals(more=0, approve=("lead",))),)},
        True,
        "until 2026-03-02 00:00 UTC: as many approve from @lead",
    ),
    "more, and so many at least": (
        facts(),
        {"freezes": (replace(QUIET, extra_approvals=ExtraApprovals(more=1, need=2)),)},
        True,
        "until 2026-03-02 00:00 UTC: 1 more and 2 at least approve",
    ),
    "a closed window": (
        facts(),
        {"rules": (IN_WINDOW,), "maintenance_windows": (NIGHTS,)},
        False,
        "it is closed, and opens 2026-03-02 00:00 UTC; outside: 1 more approve",
    ),
    "a window that is closed for good": (
        facts(),
        {"rules": (IN_WINDOW,), "maintenance_windows": (MaintenanceWindow("nights", ()),)},
        False,
        "it is closed; outside: 1 more approve",
    ),
    "an open window": (
        facts(now=MONDAY),
        {"rules": (IN_WINDOW,), "maintenance_windows": (NIGHTS,)},
        True,
        "it is open until 2026-03-03 00:00 UTC",
    ),
    "a window of no rule": (facts(), {"maintenance_windows": (NIGHTS,)}, False, "no rule that matches names it"),
    "limits that are kept": (
        facts(blast_radius=BlastRadius(2, 1)),
        {"limits": RequestLimits(hosts=3)},
        False,
        "2 of 3 hosts with this one, within 10 minutes",
    ),
    "limits of all kinds": (
        facts(blast_radius=BlastRadius(2, 1)),
        {"limits": RequestLimits(requests_per_minute=5, open_requests=500, units_per_host=1)},
        False,
        "1 of 1 unit on web-01 with this one, within 10 minutes; one person may ask 5 times a minute; "
        "500 requests may be open",
    ),
    "limits before the window opens": (
        facts(),
        {"limits": RequestLimits(hosts=3, requests_per_minute=1)},
        False,
        "one person may ask 1 time a minute",
    ),
    "limits that are not": (
        facts(blast_radius=BlastRadius(4, 1)),
        {"limits": RequestLimits(hosts=3)},
        True,
        "4 hosts within 10 minutes, 3 allowed: 2 at least approve",
    ),
}


@pytest.mark.parametrize(("given", "parts", "holds", "why"), TOLD.values(), ids=TOLD)
def test_it_is_explained(given: Facts, parts: dict[str, Any], holds: object, why: str) -> None:
    marked = {
        name: replace(part, line=50) if name == "limits" else tuple(replace(one, line=50) for one in part)
        for name, part in parts.items()
        if name != "rules"
    }
    (told,) = lines(given, with_(rules=parts.get("rules", (PROD,)), **marked))
    assert (told.applies, told.why, told.line) == (holds, why, 50)


def test_nothing_of_it_is_explained_to_who_wants_to_unmask() -> None:
    assert lines(undo(), with_(freezes=(replace(QUIET, line=50),))) == []


def test_masks_are_counted_only_where_the_policy_limits_the_blast_radius() -> None:
    assert RequestLimits(hosts=1).bound_blast_radius
    assert RequestLimits(units_per_host=1).bound_blast_radius
    assert not RequestLimits(requests_per_minute=1, open_requests=1).bound_blast_radius
