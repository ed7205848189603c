"""What approvers are asked for, and what a policy that takes another one's place makes of it: never less."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Moment, NeedsApproval
from bot.core.policy.requirements import approval_required, is_outdated, updated_approval, with_original_requirements
from bot.core.requests import Approval, ScheduledWindow, Tally, Verdict, Vote
from tests.core.situations import BOB, CAROL, NOW, POLICY, PROD, facts, request, waiting

MINUTE = timedelta(minutes=1)
ANSWER = NeedsApproval("prod", "rule prod needs 1 of @sre", 1, 0, ("sre",), 15 * MINUTE, 10 * MINUTE)
ASKED = approval_required(ANSWER, policy="old", now=NOW)


def test_what_is_asked_is_what_the_policy_said_and_for_as_long() -> None:
    assert (
        Approval("prod", 1, ("sre",), NOW + 15 * MINUTE, 15 * MINUTE, 10 * MINUTE, guarded="", policy="old", at_least=0)
        == ASKED
    )


def test_a_later_answer_of_the_same_policy_changes_who_and_how_many_and_no_clock() -> None:
    later = replace(ANSWER, need=2, groups=("lead",), approve_within=MINUTE, good_for=MINUTE)
    assert updated_approval(ASKED, later, policy="old") == replace(ASKED, need=2, groups=("lead",))


@pytest.mark.parametrize(
    ("within", "good", "left", "good_left"),
    [(5, 2, 5, 2), (60, 60, 15, 10)],
    ids=["shorter deadlines are taken over", "longer ones are not"],
)
def test_another_policy_may_only_shorten_the_clocks(within: int, good: int, left: int, good_left: int) -> None:
    answer = replace(ANSWER, approve_within=within * MINUTE, good_for=good * MINUTE)
    now = updated_approval(ASKED, answer, policy="new")
    assert (now.approve_by, now.approve_within, now.good_for) == (
        NOW + left * MINUTE,
        left * MINUTE,
        good_left * MINUTE,
    )
    assert now.policy == "new"


def test_what_waits_for_its_window_has_until_that_opens_whatever_another_policy_says() -> None:
    window = ScheduledWindow(NOW + 60 * MINUTE, NOW + 120 * MINUTE)
    early = approval_required(ANSWER, policy="old", now=NOW, window=window)
    assert early.approve_by == window.opens
    now = updated_approval(early, replace(ANSWER, approve_within=MINUTE), policy="new", window=window)
    assert (now.approve_by, now.policy) == (window.opens, "new")


def test_a_tick_that_was_asked_for_is_not_forgotten_by_another_policy() -> None:
    guarded = replace(ASKED, guarded="it carries the mail")
    assert updated_approval(guarded, ANSWER, policy="new").guarded == "it carries the mail"
    assert updated_approval(guarded, ANSWER, policy="old").guarded == ""


def test_of_what_was_asked_and_what_another_policy_asks_the_more_counts() -> None:
    one = Vote(BOB.id, "bob", Verdict.APPROVE, NOW, "d1", Tally.COUNTED)
    asked = replace(waiting(request(), need=2), votes=(one,)).on_target(digest="d1")
    held = with_original_requirements(asked, policy=POLICY.digest)
    one_vote = facts(held, Moment.VOTE, approvers=(BOB,))
    two_votes = replace(one_vote, approvers=(BOB, CAROL))

    assert isinstance(decide(replace(one_vote, request=asked), POLICY), Allow)
    answer = decide(one_vote, POLICY)
    assert isinstance(answer, NeedsApproval)
    assert (answer.need, answer.have) == (2, 1)
    assert isinstance(decide(two_votes, POLICY), Allow)
    stricter = replace(POLICY, rules=(replace(PROD, need=3),))
    assert isinstance(decide(two_votes, stricter), NeedsApproval)


@pytest.mark.parametrize(("approve", "distinct"), [(("sre", "eng"), True), (("sre",), False)])
def test_approvals_from_different_groups_are_still_asked_for_where_there_are_as_many_groups(
    approve: tuple[str, ...], distinct: object
) -> None:
    asked = waiting(request(), need=2)
    assert asked.approval
    held = with_original_requirements(replace(asked, approval=replace(asked.approval, distinct=True)), policy="new")

    answer = decide(facts(held, Moment.VOTE), replace(POLICY, rules=(replace(PROD, approve=approve),)))

    assert isinstance(answer, NeedsApproval)
    assert (answer.need, answer.distinct) == (2, distinct)


def test_what_was_asked_is_held_to_over_any_number_of_policies() -> None:
    asked = waiting(request(), need=2)
    for policy, need in (("second", 1), ("third", 1)):
        asked = with_original_requirements(asked, policy=policy)
        assert asked.approval
        asked = replace(asked, approval=replace(asked.approval, need=need, policy=policy))
    assert asked.approval
    assert asked.approval.at_least == 2


def test_only_what_was_asked_by_another_policy_is_out_of_date() -> None:
    asked = replace(request(), approval=ASKED)
    assert not is_outdated(asked, policy="old", now=NOW)
    assert is_outdated(asked, policy="new", now=NOW)
    assert with_original_requirements(asked, policy="old") is asked
    assert not is_outdated(request(), policy="new", now=NOW)
    assert with_original_requirements(request(), policy="new") == request()
