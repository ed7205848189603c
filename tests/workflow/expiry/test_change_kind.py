"""A living mask changes its kind: it gets an end, stays as it is for another while, or becomes a hold."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Duration, Hold, Outcome, Stage
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.expiry.test_expire import MASKED, RUNS, ended, state
from tests.workflow.hold.test_hold import CARE, back_again, lift, remove_by_hand
from tests.workflow.slack import ALICE, BOB, CAROL, caller
from tests.workflow.world import POLICY, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """Where `@sre` may own holds."""
    return {"policy": replace(POLICY, holds=HoldPolicy(frozenset({"sre"}))), "aftercare": CARE}


def test_the_daily_reminder_can_be_answered_and_the_mask_gets_an_end_that_comes(world: World) -> None:
    extensions, done = world.desk.extensions, world.masked("restless")
    world.clock.ahead += DAY + timedelta(minutes=1)
    assert "[Unmask] [Give it an end] [Keep] [Hold it]" in world.direct(ALICE, "has no expiry and has lasted 1 day")

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
