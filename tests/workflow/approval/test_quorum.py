"""Whose approval counts: from different groups where the rule says so, and only while they may approve."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.people.same_person import SamePerson
from bot.core.policy.groups import Group
from bot.core.policy.model import Rule
from bot.core.requests import Outcome, Stage, Tally, Verdict
from bot.workflow.approval.escalation import missing_approvers
from tests.workflow.approval.test_count_votes import is_masked, is_untouched, just_before_acting
from tests.workflow.conftest import Opening
from tests.workflow.slack import BOB, CAROL, DAVE, People
from tests.workflow.world import POLICY, World

ANY = Rule("any", host_groups=frozenset(), ask=frozenset({"eng"}), need=2, approve=("sre",))
DISTINCT = replace(
    ANY, name="distinct", units=("tuned.service", "watchdog.service"), approve=("sre", "dba"), distinct=True
)


@pytest.fixture(scope="module")
def world(open_world: Opening) -> Iterator[World]:
    """A running bot; bob is in both groups, carol in the first alone, dave in the second alone."""
    people = People()
    people.groups |= {"dba": {BOB.id, DAVE.id}, "on-call": set()}
    groups = (*POLICY.groups, Group("dba"), Group("on-call"))
    policy = replace(POLICY, groups=groups, rules=(ANY, DISTINCT), undo_by=("on-call",))
    with open_world(people=people, policy=policy) as one:
        yield one


def test_who_is_in_both_groups_cannot_make_a_distinct_quorum_alone(world: World) -> None:
    asked = world.mask("tuned")
    assert "2 of @sre and @dba from different groups" in world.card(asked)
    world.vote(asked, by=BOB)
    waiting = world.when(asked, lambda now: now.have == 1, "bob's vote")
    assert waiting.stage is Stage.WAITING
    assert "needs 1 more approval" in world.card(waiting)
    assert is_untouched(world.hosts["web-01"], "tuned.service")

    done = world.approve(asked, by=CAROL)  # of the first group alone: so bob stands for the second
    assert done.target.outcome is Outcome.PROVEN
    assert is_masked(world.hosts["web-01"], "tuned.service")
    assert {group: vote.voter_name for group, vote in done.votes_by_group.items()} == {"sre": "carol", "dba": "bob"}


def test_two_people_of_one_group_cannot_either_and_the_second_is_told(world: World) -> None:
    world.people.groups["dba"].discard(BOB.id)
    asked = world.mask("tuned", host="web-02")
    for who in (BOB, CAROL):
        world.vote(asked, by=who)
    world.ephemeral(CAROL, "each must come from a different group. Still missing: @dba.")
    waiting = world.when(asked, lambda now: len(now.counted_votes) == 2, "two votes")
    assert (waiting.stage, waiting.have) == (Stage.WAITING, 1)
    assert "@dba: nobody yet" in world.card(waiting)
    assert is_untouched(world.hosts["web-02"], "tuned.service")

    done = world.approve(asked, by=DAVE)
    world.people.groups["dba"].add(BOB.id)
    assert done.target.outcome is Outcome.PROVEN
    assert is_masked(world.hosts["web-02"], "tuned.service")


def test_who_lost_the_right_before_the_others_voted_does_not_count_and_everybody_is_told(world: World) -> None:
    sre = world.people.groups["sre"]
    sre.add(DAVE.id)
    asked = world.mask("cron")
    world.vote(asked, by=BOB)
    world.when(asked, lambda now: now.have == 1, "bob's vote")
    sre.discard(BOB.id)
    world.vote(asked, by=CAROL)

    waiting = world.when(asked, lambda now: any(vote.tally is Tally.REFUSED for vote in now.votes), "a lost vote")
    assert (waiting.stage, [vote.voter_name for vote in waiting.counted_votes]) == (Stage.WAITING, ["carol"])
    assert "needs 1 more approval" in world.card(waiting)
    note = world.note(asked, "bob may no longer approve this")
    assert "The request has 1 of 2 approvals." in note

    done = world.approve(asked, by=DAVE)
    assert (done.target.outcome, [vote.voter_name for vote in done.counted_votes]) == (
        Outcome.PROVEN,
        ["carol", "dave"],
    )
    sre.add(BOB.id)
    sre.discard(DAVE.id)


def test_who_lost_the_right_right_before_it_ran_voids_it_and_may_vote_again_once_it_is_back(world: World) -> None:
    host, sre = world.hosts["db-01"], world.people.groups["sre"]
    asked = world.mask("cron", host="db-01")
    world.vote(asked, by=BOB)
    with just_before_acting(world, "cron.service", lambda: sre.discard(BOB.id)):
        world.vote(asked, by=CAROL)
        anew = world.when(asked, lambda now: bool(now.changed_since), "a second question")
    assert (anew.stage, anew.have) == (Stage.WAITING, 1)
    assert anew.changed_since == ("who may approve: bob may no longer approve this",)
    assert "needs 1 more approval" in world.card(anew)
    world.note(asked, "bob may no longer approve this")
    assert is_untouched(host, "cron.service")

    sre.add(BOB.id)
    done = world.approve(anew, by=BOB)
    assert done.target.outcome is Outcome.PROVEN
    assert is_masked(host, "cron.service")


def test_a_request_that_nobody_could_approve_is_refused_with_the_reason(world: World) -> None:
    dba = world.people.groups["dba"]
    world.people.groups["dba"] = set()
    refused = world.mask("tuned", host="db-01")
    world.people.groups["dba"] = dba
    assert refused.stage is Stage.REFUSED
    assert "at most 1 can come from different groups besides you" in refused.because
    assert is_untouched(world.hosts["db-01"], "tuned.service")


def test_guests_and_people_who_are_gone_are_no_approvers_even_of_their_own_group(world: World) -> None:
    people = world.people.people
    known = people[CAROL.id]
    people[CAROL.id] = replace(known, is_deleted=True)
    refused = world.mask("cron", host="web-02")
    people[CAROL.id] = known
    assert refused.stage is Stage.REFUSED
    assert "at most 1 can approve besides you (1 more cannot: guests, bots or deactivated)" in refused.because
    assert is_untouched(world.hosts["web-02"], "cron.service")


def test_whoever_may_approve_may_deny_whatever_their_group(world: World) -> None:
    asked = world.mask("tuned", host="db-01")
    world.vote(asked, Verdict.DENY, by=DAVE)
    assert world.until_final(asked).stage is Stage.DENIED


def test_where_nobody_can_tell_who_may_approve_the_answer_is_no_and_an_undo_goes_on(world: World) -> None:
    host, broken = world.hosts["web-02"], world.people.broken
    vote_waits = world.mask("restless", host="web-02")
    broken.add("sre")
    refused = world.mask("tuned.service", host="db-01", by=CAROL)
    assert (refused.stage, "Nobody could tell who is in @sre" in refused.because) == (Stage.REFUSED, True)
    world.vote(vote_waits, by=BOB)
    assert "Nobody could tell who is in @sre" in world.ephemeral(BOB, "Try again in a moment")

    masked = next(each for each in world.requests() if each.is_live_mask and each.target.host == "web-02")
    back = world.undo(masked)
    assert back.target.outcome is Outcome.RESTORED, back.because
    assert is_untouched(host, masked.target.unit.text)
    broken.discard("sre")
    world.vote(vote_waits, Verdict.DENY, by=BOB)
    assert world.until_final(vote_waits).stage is Stage.DENIED


def test_the_last_vote_counts_also_where_nobody_can_tell_at_that_moment_what_it_makes(world: World) -> None:
    host, broken = world.hosts["web-01"], world.people.broken
    asked = world.mask("watchdog")
    world.vote(asked, by=DAVE)
    world.when(asked, lambda now: now.have == 1, "dave's vote")
    broken.add("dba")  # carol is known to be in @sre, and nobody knows whether dave still stands for @dba
    world.vote(asked, by=CAROL)
    waiting = world.when(asked, lambda now: now.have == 2, "carol's vote")
    assert waiting.stage is Stage.WAITING
    broken.discard("dba")
    assert world.until_final(asked).target.outcome is Outcome.PROVEN
    assert is_masked(host, "watchdog.service")


def test_an_approved_request_waits_while_nobody_can_tell_whether_its_approvals_stand(world: World) -> None:
    host, broken = world.hosts["web-01"], world.people.broken
    asked = world.mask("restless")
    world.vote(asked, by=BOB)
    with just_before_acting(world, "restless.service", lambda: broken.add("sre")):
        world.vote(asked, by=CAROL)
        world.when(asked, lambda now: now.stage is Stage.APPROVED, "the quorum")
        world.until(lambda: "sre" in broken, "the look right before acting")
    assert is_untouched(host, "restless.service")
    broken.discard("sre")
    done = world.until_final(asked)
    assert (done.target.outcome, done.changed_since) == (Outcome.PROVEN, ())


def test_who_is_on_call_undoes_a_mask_without_a_vote(world: World) -> None:
    live = [each for each in world.requests() if each.is_live_mask and each.target.host == "db-01"]
    world.people.groups["on-call"] = {DAVE.id}
    back = world.undo(live[0], by=DAVE)
    assert (back.stage, back.target.outcome) == (Stage.DONE, Outcome.RESTORED), back.because
    assert "dave is on call" in back.because
    assert is_untouched(world.hosts["db-01"], live[0].target.unit.text)


def test_a_shift_that_ended_while_the_host_was_looked_at_does_not_count(world: World) -> None:
    on_call = world.people.groups["on-call"] = {DAVE.id}
    live = next(each for each in world.requests() if each.is_live_mask and each.target.host == "web-01")
    unit = live.target.unit.text
    asked = world.begin_undo(live, by=DAVE)
    with just_before_acting(world, unit, lambda: on_call.discard(DAVE.id)):
        refused = world.until_answered(asked)
    assert (refused.stage, "may not ask" in refused.because) == (Stage.REFUSED, True)
    assert is_masked(world.hosts["web-01"], unit)


def test_two_accounts_of_one_person_make_one_vote_and_the_second_is_told(world: World) -> None:
    now, sre = world.in_force.now, world.people.groups["sre"]
    both = replace(now, policy=replace(now.policy, same_person=SamePerson((frozenset({CAROL.id, DAVE.id}),))))
    sre.add(DAVE.id)
    world.in_force.put(both)
    asked = world.mask("cron", host="web-02")
    world.vote(asked, by=CAROL)
    world.when(asked, lambda now: now.have == 1, "carol's vote")
    world.vote(asked, by=DAVE)
    world.ephemeral(DAVE, "You approved this already, with your other account (carol).")
    assert [vote.voter_name for vote in world.store.get(asked.id).counted_votes] == ["carol"]
    assert missing_approvers(world.deps, world.store.get(asked.id)) == (BOB.id.user,)

    assert world.mask("cron", host="db-01", by=CAROL).stage is Stage.REFUSED
    world.ephemeral(CAROL, "needs two approvals from @sre; at most 1 can approve besides you")
    world.in_force.put(now)
    sre.discard(DAVE.id)
