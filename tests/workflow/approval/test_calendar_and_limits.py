"""Freezes come and go while a request waits: its card says how many have to agree now, and why, and until when."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze
from bot.core.requests import Outcome, Request, Stage
from bot.core.time.calendar import Once
from bot.edges.clock import SystemClock
from tests.workflow.approval.test_count_votes import is_masked, is_untouched
from tests.workflow.slack import ALICE, BOB
from tests.workflow.waiting import waits, without_hosts
from tests.workflow.world import POLICY, World

MINUTE = timedelta(minutes=1)
WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")


def freeze(begins: float, ends: float, **asks: object) -> Freeze:
    """From so many minutes from now to so many."""
    now = SystemClock().now().replace(tzinfo=None)
    times = (Once(now + begins * MINUTE, now + ends * MINUTE),)
    return Freeze("release", times, because="the release is built", extra_approvals=ExtraApprovals(**asks))  # type: ignore[arg-type]


def with_freeze(world: World, one: Freeze) -> None:
    """From now on, without a word about it."""
    now = world.in_force.now
    world.in_force.put(replace(now, policy=replace(now.policy, freezes=(one,))))


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[World]:
    with without_hosts(tmp_path, inventory=Inventory((WEB,)), policy=POLICY) as world:
        yield world


def asked_before(world: World) -> Request:
    """A request that waits, and knows that in five minutes the calendar turns."""
    asked = waits(world, within=60 * MINUTE)
    assert asked.approval
    in_five = replace(asked.approval, calendar_changes_at=world.clock.now() + 5 * MINUTE)
    return world.store.save(replace(asked, approval=in_five))


def turned(world: World, request: Request, *, need: int) -> Request:
    """Some minutes later."""
    world.clock.ahead += 6 * MINUTE
    world.store.wake()
    return world.when(request, lambda now: bool(now.approval and now.approval.need == need), f"{need} to approve")


def test_a_freeze_that_begins_asks_for_one_more_and_one_that_ends_does_not_any_more(idle: World) -> None:
    with_freeze(idle, freeze(5, 10))
    asked = asked_before(idle)
    with idle.running():
        assert "needs 1 approval\n" in idle.card(asked)
        turned(idle, asked, need=2)
        card = idle.card(asked)
        assert "needs 2 approvals" in card
        assert "*Change freeze*  release (the release is built), until " in card
        turned(idle, asked, need=1)
        assert "Freeze" not in idle.card(asked)


def test_a_freeze_that_forbids_ends_what_waits_when_it_begins(idle: World) -> None:
    with_freeze(idle, freeze(5, 10, forbid="nothing is touched now"))
    asked = asked_before(idle)
    with idle.running():
        idle.card(asked)
        idle.clock.ahead += 6 * MINUTE
        idle.store.wake()
        ended = idle.until_final(asked)
    assert ended.stage is Stage.REFUSED
    assert ended.because.startswith("Change freeze release (the release is built): nothing is touched now.")


def test_while_slack_is_silent_the_question_is_put_off_and_not_forgotten(idle: World) -> None:
    with_freeze(idle, freeze(5, 60))
    asked = asked_before(idle)
    idle.people.silent.add(ALICE.id)
    with idle.running():
        idle.clock.ahead += 6 * MINUTE
        idle.store.wake()
        later = idle.when(asked, lambda now: now.version > asked.version, "another try")
        assert later.approval
        assert later.approval.need == 1
        assert later.due_at
        assert later.due_at > idle.clock.now()
        idle.people.silent.clear()
        turned(idle, asked, need=2)


@pytest.mark.ssh
def test_what_is_asked_in_a_freeze_needs_more_and_runs_with_what_it_has_once_the_freeze_is_over(
    idle_world: World,
) -> None:
    world, host = idle_world, idle_world.hosts["web-01"]
    with_freeze(world, freeze(-5, 5))
    with world.running():
        asked = world.mask("tuned")
        assert asked.approval
        assert (asked.stage, asked.approval.need) == (Stage.WAITING, 2)
        world.vote(asked, by=BOB)
        world.when(asked, lambda now: len(now.counted_votes) == 1, "a vote")
        assert "needs 1 more approval" in world.card(asked)
        assert is_untouched(host, "tuned.service")

        world.clock.ahead += 6 * MINUTE
        world.store.wake()
        done = world.until_final(asked)
        assert done.target.outcome is Outcome.PROVEN
        assert is_masked(host, "tuned.service")

        with_freeze(world, freeze(0, 60, forbid="nothing is touched now"))
        assert world.undo(done).target.outcome is Outcome.RESTORED
        assert is_untouched(host, "tuned.service")
