"""Real hosts that nobody gets into for a while, just when the bot has to: at the end of a mask, and for a group."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Outcome, ScheduledWindow, Stage, TargetStatus
from tests.workflow.expiry.test_expire import HOUR, MASKED, RUNS, TWO_HOURS, ended, returns, state
from tests.workflow.fleet import Fleet
from tests.workflow.hands import cut_off, let_in
from tests.workflow.hold.test_hold import CARE, HELD
from tests.workflow.hold.test_hold_group import WEB, ask_group_hold, grouped, until_there
from tests.workflow.world import World

pytestmark = pytest.mark.ssh


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """What a host that is away does to a connection is the subject."""
    return real_fleet


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """Who owns holds, and how soon what is overdue is tried again."""
    return {"policy": HELD, "aftercare": CARE}


def test_a_mask_that_is_due_while_its_host_is_down_begins_and_ends_once_that_is_back(world: World) -> None:
    host, now = world.hosts["web-01"], world.clock.now()
    asked = world.mask("tuned", scheduled_window=ScheduledWindow(now + HOUR, now + 3 * HOUR), duration=TWO_HOURS)
    world.vote(asked)
    world.when(asked, lambda now: now.stage is Stage.APPROVED, "an approval")
    cut_off(host)
    world.clock.ahead += HOUR
    away = world.when(asked, lambda now: bool(now.target.note), "a word about the host")
    assert (away.stage, state(host, "tuned.service")) == (Stage.APPROVED, RUNS)
    let_in(host)
    done = world.until_final(asked)
    assert (done.target.outcome, state(host, "tuned.service")) == (Outcome.PROVEN, MASKED)

    cut_off(host)
    world.clock.ahead += 2 * HOUR
    overdue = world.when(done, lambda now: bool(now.aftercare.overdue), "a mask that is overdue")
    assert "web-01" in overdue.aftercare.overdue
    assert (returns(world, done), state(host, "tuned.service")) == ([], MASKED)
    let_in(host)
    assert ended(world, done).target.outcome is Outcome.RESTORED
    assert state(host, "tuned.service") == RUNS


def test_a_hold_for_a_group_reaches_a_host_that_was_down_once_that_is_back(world: World) -> None:
    world.in_force.put(ConfigSnapshot(grouped(world.hosts, *WEB), HELD))
    cut_off(world.hosts["web-02"])
    done = world.approve(ask_group_hold(world, "tuned"))
    tried = until_there(world, done, TargetStatus.PLANNING, "web-02")
    pending = world.when(tried, lambda now: now.target.note != "", "a hold that is pending")
    assert (pending.stage, state(world.hosts["web-02"], "tuned.service")) == (Stage.ASKED, RUNS)
    let_in(world.hosts["web-02"])
    world.store.make_due(pending.id)
    assert world.until_final(pending).target.outcome is Outcome.PROVEN
    assert [state(world.hosts[host], "tuned.service") for host in WEB] == [MASKED, MASKED]
