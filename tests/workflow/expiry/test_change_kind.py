"""A living mask changes its kind: it gets an end, stays as it is for another while, or becomes a hold."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from bot.core.people.identity import Person
from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Duration, Extension, Hold, NewKind, Outcome, Request, Stage, Verdict
from bot.core.time.calendar import Weekly
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.requests.marks import mark_extended
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.expiry.test_expire import MASKED, RUNS, ended, state
from tests.workflow.hold.test_hold import CARE, back_again, lift, remove_by_hand
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, caller, person
from tests.workflow.world import POLICY, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """Where `@sre` may own holds."""
    return {"policy": replace(POLICY, holds=HoldPolicy(frozenset({"sre"}))), "aftercare": CARE}


def test_the_daily_reminder_can_be_answered_and_the_mask_gets_an_end_that_comes(world: World) -> None:
    extensions, done = world.desk.extensions, world.masked("restless")
    world.clock.ahead += DAY + timedelta(minutes=1)
    assert "[Unmask] [Set an expiry] [Keep] [Hold it]" in world.direct(ALICE, "has no expiry and has lasted 1 day")

    with pytest.raises(UsageError, match="Say when to remind you of it again"):
        extensions.keep(done.id, "still leaks", caller(ALICE, "a"))
    week = (world.clock.now() + 7 * DAY).replace(microsecond=0)
    kept = world.until_final(extensions.keep(done.id, "still leaks", caller(ALICE, "b"), review=week))
    assert (kept.target.outcome, kept.approval) == (Outcome.EXTENDED, None), kept.because
    assert world.store.get(done.id).aftercare.remind_at == week
    assert "*Kept*  by <@UALICE>" in world.card(done)

    given = world.until_final(extensions.extend(done.id, Duration(lasts=2 * HOUR), caller(ALICE, "c")))
    assert (given.target.outcome, given.approval) == (Outcome.EXTENDED, None), given.because
    assert "[Unmask] [Extend] [Keep] [Details]" in world.card(done)
    assert state(world.hosts["web-01"], "restless.service") == MASKED
    world.clock.ahead += 2 * HOUR
    assert ended(world, done).target.outcome is Outcome.RESTORED


def test_a_mask_becomes_a_hold_that_is_put_back_and_only_lifted_by_its_owners(world: World) -> None:
    host = world.hosts["web-01"]
    schedule_configured(world.deps)
    world.until(lambda: bool(read_mask_inventory(world.deps, "web-01").host_views[0].seen_at), "a first look")
    done = world.masked("worker", duration=Duration(lasts=2 * HOUR))
    hold = Hold("sre", (world.clock.now() + 90 * DAY).replace(microsecond=0))
    asked = world.until_answered(world.desk.extensions.hold(done.id, hold, "it is evil", caller(ALICE, "a")))
    assert asked.stage is Stage.WAITING, asked.because
    assert world.store.get(done.id).hold is None
    assert world.approve(asked).target.outcome is Outcome.EXTENDED
    held = world.store.get(done.id)
    assert (held.hold, held.aftercare.expires_at, held.undo_until) == (hold, None, None)
    assert "[Unmask] [Keep] [Details]" in world.card(done)
    assert world.undo(done, by=ALICE).stage is Stage.REFUSED

    world.clock.ahead += 3 * HOUR  # its old end
    remove_by_hand(world, done)
    again = back_again(world, done)
    assert (again.hold, again.target.outcome) == (hold, Outcome.PROVEN), again.target.note
    assert state(host, "worker.service") == MASKED
    assert not [one for one in world.store.find(Query(host="web-01")) if one.ask.by_itself and one.ask.undoes]

    back = lift(world, again, by=BOB, approver=CAROL)
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    assert {*back.target.starts} >= {"worker.service", "metrics.service"}
    assert state(host, "worker.service") == RUNS


def test_pressed_twice_it_is_done_once_and_what_is_late_says_why(world: World) -> None:
    extensions, done = world.desk.extensions, world.masked("restless")
    asked = [extensions.extend(done.id, Duration(lasts=hours * HOUR), caller(ALICE, f"{hours}")) for hours in (2, 4)]
    again = extensions.extend(done.id, Duration(lasts=2 * HOUR), caller(ALICE, "2"))
    first, second = (world.until_final(one) for one in asked)
    assert again.id == first.id
    assert sorted([first.stage, second.stage]) == sorted([Stage.DONE, Stage.REFUSED]), second.because
    (given,) = world.store.get(done.id).aftercare.extensions
    late = second if given.request_id == first.id else first
    assert re.search(r"has got an expiry in the meantime|It must end first", late.because)

    week = (world.clock.now() + 7 * DAY).replace(microsecond=0)
    stale = Extension("r9", ALICE.id, "alice", world.clock.now(), None, new_kind=NewKind.LOOKED_AT, remind_at=week)
    assert not mark_extended(world.deps, done.id, stale, is_approved=False)
    assert world.store.get(done.id).aftercare.expires_at == given.until


def test_a_stranger_changes_nothing_and_whoever_had_no_part_in_it_needs_approval(world: World) -> None:
    extensions, done, week = world.desk.extensions, world.masked("restless"), world.clock.now() + 7 * DAY
    hold = Hold("sre", week)

    def ways(who: Person) -> list[Callable[[], Request]]:
        return [
            lambda: extensions.extend(done.id, Duration(lasts=HOUR), caller(who, f"{who.name}1")),
            lambda: extensions.keep(done.id, "why not", caller(who, f"{who.name}2"), review=week),
            lambda: extensions.hold(done.id, hold, "why not", caller(who, f"{who.name}3")),
        ]

    for way in (*ways(person("mallory")), *ways(DAVE)):
        assert world.until_answered(way()).stage is Stage.REFUSED
    for way in ways(CAROL):
        waits = world.until_answered(way())
        assert waits.stage is Stage.WAITING, waits.because
        world.vote(waits, Verdict.DENY)
        world.until_final(waits)
    assert world.store.get(done.id).aftercare.extensions == ()


def test_what_is_asked_while_the_mask_is_undone_waits_and_then_finds_it_gone(idle_world: World) -> None:
    world = idle_world
    with world.running():
        done = world.masked("restless")
    undo = world.begin_undo(done)
    late = world.desk.extensions.extend(done.id, Duration(lasts=HOUR), caller(ALICE, "late"))
    with world.running():
        assert world.until_final(undo).target.outcome is Outcome.RESTORED
        ended_late = world.until_final(late)
    assert ended_late.stage in (Stage.REFUSED, Stage.CANCELLED), ended_late.because
    assert world.store.get(done.id).aftercare.extensions == ()
    with pytest.raises(UsageError, match="There is no mask to extend or to keep"):
        world.desk.extensions.extend(done.id, Duration(lasts=HOUR), caller(ALICE, "later"))


def test_one_hour_does_not_become_for_good_where_that_is_not_allowed_or_in_a_freeze(world: World) -> None:
    extensions, done = world.desk.extensions, world.masked("restless", duration=Duration(lasts=HOUR))
    hold, now = Hold("sre", world.clock.now() + 90 * DAY), world.in_force.now
    always = (Weekly(frozenset(range(7)), time(), time(), 1),)
    freeze = Freeze("books", always, extra_approvals=ExtraApprovals(forbid="the books are closed"))
    strict = replace(now.policy.rules[0], requires_expiry=True)
    for number, policy, why in (
        (1, replace(now.policy, freezes=(freeze,)), "the books are closed"),
        (2, replace(now.policy, rules=(strict,)), "does not allow masks without expiry"),
    ):
        world.in_force.put(ConfigSnapshot(now.inventory, policy))
        for asked in (
            extensions.keep(done.id, "it is evil", caller(ALICE, f"k{number}")),
            extensions.hold(done.id, hold, "it is evil", caller(ALICE, f"h{number}")),
        ):
            assert why in world.until_answered(asked).because
    world.in_force.put(now)
    waits = world.until_answered(extensions.keep(done.id, "it is evil", caller(ALICE, "k3")))
    assert waits.stage is Stage.WAITING, waits.because
    world.in_force.put(ConfigSnapshot(now.inventory, replace(now.policy, rules=(strict,))))
    world.vote(waits)
    late = world.when(waits, lambda now: not now.uncounted_votes and bool(now.votes), "a judged vote")
    assert (late.stage, late.counted_votes) == (Stage.WAITING, ())
    assert world.store.get(done.id).aftercare.expires_at
