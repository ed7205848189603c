"""What breaks in the middle of a rollout holds its next wave, and nothing is guessed, done twice, or left out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Duration, Request, RolloutRule, TargetStatus
from bot.edges.database import Database
from bot.errors import OutcomeUnknown, StoreBusy
from bot.workflow import Workers
from tests.workflow.rollout.rolled import HOSTS, freeze_at_first_mask, paused, rolled_out, statuses, touched
from tests.workflow.wire import Call
from tests.workflow.world import POLICY, QUICK, World

THREE = ("1", "1", "1")
READY, DONE, UNKNOWN = TargetStatus.READY, TargetStatus.DONE, TargetStatus.UNKNOWN


def lose(world: World, host: str, *, verb: str = "stop") -> list[str]:
    """From this command on, a host says nothing more; emptied, it is back."""
    lost: list[str] = []

    def trouble(call: Call) -> None:
        if call.host == host and (lost or call.verb == verb):
            lost[:] = [host]
            raise OutcomeUnknown(f"{host} does not answer.")

    world.wire.before.append(trouble)
    return lost


def until_a_host_is_lost(world: World) -> Request:
    """A rollout in which the second host was lost after its stop was sent; the last one has not begun."""
    world.has_lost_an_answer = True
    asked = rolled_out(world, *HOSTS, waves=THREE)
    lose(world, "web-02")
    world.vote(asked)
    return world.when(asked, lambda now: statuses(world, now)["web-02"] is UNKNOWN, "the loss")


def back(world: World) -> None:
    """The host that was lost answers again."""
    world.wire.before.clear()


@pytest.mark.fault("F94", how="a host is lost while its wave runs, and comes back")
def test_a_host_that_is_lost_in_its_wave_holds_the_next_one_until_it_is_known(world: World) -> None:
    asked = until_a_host_is_lost(world)
    assert "1 not known yet" in world.card(asked)
    assert statuses(world, asked)["db-01"] is READY
    assert "db-01" not in touched(world)
    back(world)
    assert set(statuses(world, world.until_final(asked)).values()) == {DONE}


def test_a_lost_host_keeps_no_other_from_its_undo_and_is_undone_once_it_is_known(world: World) -> None:
    asked = until_a_host_is_lost(world)
    undone = world.until_final(world.undo(asked))
    assert statuses(world, undone) == {"web-01": DONE}
    over = world.until_final(asked)
    assert (over.undone_by, statuses(world, over)["web-02"]) == ("", UNKNOWN)
    back(world)
    late = world.when(asked, lambda now: statuses(world, now)["web-02"] is DONE, "its outcome")
    assert late.is_live_mask
    rest = world.until_final(world.undo(late))
    assert statuses(world, rest) == {"web-02": DONE}
    assert world.store.get(asked.id).undone_by == rest.id


def test_a_rollout_says_what_is_undone_while_its_undo_waits_for_a_host_that_is_lost(world: World) -> None:
    world.has_lost_an_answer = True
    done = world.approve(rolled_out(world, *HOSTS))
    lose(world, "db-01", verb="unmask")
    undo = world.begin_undo(done)
    undone = {"web-01": TargetStatus.UNDONE, "web-02": TargetStatus.UNDONE, "db-01": DONE}
    world.when(done, lambda now: statuses(world, now) == undone, "what is undone until now")
    assert not world.store.get(undo.id).stage.is_final
    back(world)
    assert set(statuses(world, world.until_final(undo)).values()) == {DONE}
    assert set(statuses(world, done).values()) == {TargetStatus.UNDONE}


@pytest.mark.fault("F95", how="Slack does nothing from the approval of a rollout to its end")
def test_slack_may_be_away_for_whole_waves_and_hears_of_them_afterwards(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)
    world.vote(asked)
    world.slack.trouble = "unreachable"
    done = world.until_final(asked)
    assert set(statuses(world, done).values()) == {DONE}
    world.slack.trouble = ""
    assert "MASKED AND PROVEN" in world.card(done)


@pytest.mark.fault("F96", how="the policy asks for two approvals, from the second wave on")
def test_a_policy_that_asks_for_more_between_waves_pauses_it(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)

    def stricter(call: Call) -> None:
        if call.verb == "mask":
            rules = tuple(replace(rule, need=2) for rule in POLICY.rules)
            world.in_force.put(ConfigSnapshot(world.in_force.inventory, replace(POLICY, rules=rules, digest="1" * 64)))

    world.wire.after.append(stricter)
    world.vote(asked)
    held = paused(world, asked)
    assert held.rollout and held.rollout.why_paused == (
        "because its approvals no longer cover the next wave: it needs 2 now"
    )
    assert "PAUSED" in world.card(held)
    assert "db-01" not in touched(world)


class Test_the_kill_switch:
    """Pulled in the middle; what undoes waits for nobody."""

    @pytest.mark.fault("F97", how="the kill switch is pulled while the first wave runs; the masks expire meanwhile")
    def test_holds_the_next_wave_until_it_is_off_and_no_undo(self, world: World) -> None:
        asked = rolled_out(world, *HOSTS, waves=THREE, duration=Duration(lasts=timedelta(hours=1)))
        freeze_at_first_mask(world)
        world.vote(asked)
        held = world.when(asked, lambda now: bool(now.rollout and now.rollout.waits_for), "the kill switch to hold it")
        assert "stopped all new masks" in world.card(held)
        assert touched(world) == {"web-01"}
        world.clock.ahead += timedelta(hours=1, minutes=1)
        gone = world.when(asked, lambda now: bool(now.undone_by), "its end, in spite of the kill switch")
        assert statuses(world, world.until_final(world.store.get(gone.undone_by))) == {"web-01": DONE}
        assert touched(world) == {"web-01"}


@pytest.mark.fault("F98", how="the database refuses everything for two seconds, in the middle of a wave")
def test_the_database_may_be_gone_for_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)
    world.has_lost_an_answer = True  # the answer to a command, at the moment when it could not be recorded
    refused: list[str] = []
    save = Database.save

    def busy(self: Database, request: Any, **given: Any) -> Any:
        if world.wire.verbs() and len(refused) < 6:
            refused.append(request.id)
            raise StoreBusy("The database is busy.")
        return save(self, request, **given)

    monkeypatch.setattr(Database, "save", busy)
    world.vote(asked)
    done = world.until_final(asked)
    assert set(statuses(world, done).values()) == {DONE}
    assert len(refused) == 6
    assert "MASKED AND PROVEN" in world.card(done)


class Test_two_replicas:
    """Any of them goes on with any target, and nothing is done twice."""

    @pytest.fixture
    def changed_deps(self) -> Mapping[str, Any]:
        (rule,) = POLICY.rules
        in_waves = replace(rule, rollout=RolloutRule(waves=("1", "1", "rest"), in_parallel=2))
        return {"policy": replace(POLICY, rules=(in_waves,)), "timings": replace(QUICK, lease_renew=0.2)}

    @pytest.mark.parametrize("database", ["postgresql"], indirect=True)
    @pytest.mark.postgresql
    @pytest.mark.fault("F99", how="a second replica beside the first, which is stopped in the middle of a wave")
    def test_share_a_rollout_and_one_finishes_it_alone(self, idle_world: World, database: str) -> None:
        world, other = idle_world, Workers(idle_world.deps, owner="bot-2")
        first = Workers(world.deps, owner="bot-1")
        first.start()
        other.start()
        try:
            asked = rolled_out(world, *HOSTS, units=("worker", "cron"))
            world.vote(asked)
            world.when(asked, lambda now: bool(now.rollout and now.rollout.wave == 2), "the second wave")
            first.stop()
            done = world.until_final(asked)
            assert "MASKED AND PROVEN" in world.card(done)
        finally:
            other.stop()
        assert done.rollout and {one.status for one in done.rollout.targets} == {DONE}
        begun = [record["request_id"] for record in world.store.records() if record["type"] == "exec.started"]
        assert len(begun) == len({*begun}) == 7, "each target once, and the rollout"
