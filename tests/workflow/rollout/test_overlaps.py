"""Targets that overlap: a unit and its alias, a host in two rollouts, and one host by several names of groups."""

from dataclasses import replace

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Outcome, Stage, TargetStatus
from tests.workflow.rollout.rolled import rolled_out, statuses, targets, touched
from tests.workflow.world import World, inventory

DONE = TargetStatus.DONE


def masks(world: World) -> list[tuple[str, str]]:
    return sorted((call.host, call.unit) for call in world.wire.calls if call.verb == "mask")


def test_a_unit_and_its_alias_are_masked_once_on_each_host(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02", units=("oldname", "worker"))
    assert asked.stage is Stage.WAITING, asked.because
    assert asked.rollout and sorted(one.host for one in asked.rollout.planned) == ["web-01", "web-02"]
    assert all("already" in one.note for one in asked.rollout.left_out)
    done = world.approve(asked)
    assert masks(world) == [("web-01", "worker.service"), ("web-02", "worker.service")]
    undone = world.until_final(world.undo(done))
    assert undone.rollout and {one.status for one in undone.rollout.targets} == {DONE}


def test_a_host_that_another_rollout_asks_for_already_is_left_out_and_said(world: World) -> None:
    first = rolled_out(world, "web-01", "web-02")
    second = rolled_out(world, "web-02", "db-01")
    assert statuses(world, second) == {"web-02": TargetStatus.LEFT_OUT, "db-01": TargetStatus.READY}
    assert second.rollout and "already" in second.rollout.left_out[0].note
    world.approve(second)
    world.approve(first)
    assert masks(world) == [(host, "worker.service") for host in ("db-01", "web-01", "web-02")]
    # each undoes its own, and no more
    world.until_final(world.undo(second))
    assert world.hosts["web-02"].show("worker", "LoadState") == {"LoadState": "masked"}
    assert world.hosts["db-01"].show("worker", "LoadState") == {"LoadState": "loaded"}


def test_two_units_of_two_rollouts_on_one_host_wait_for_each_other(world: World) -> None:
    first, second = rolled_out(world, "web-01"), rolled_out(world, "web-01", units=("tuned",))
    world.vote(first)
    world.vote(second)
    for asked in (first, second):
        over = world.until_final(asked)
        assert {one.target.outcome for one in targets(world, over).values()} == {Outcome.PROVEN}


def test_a_host_that_several_groups_name_is_one_target(world: World) -> None:
    both = tuple(replace(host, groups=frozenset({"web", "all"})) for host in inventory(world.hosts).hosts)
    world.in_force.put(ConfigSnapshot(Inventory(both), world.in_force.policy))
    done = world.approve(rolled_out(world, "web-02", "@web", "@all", "web-02"))
    assert set(statuses(world, done).values()) == {DONE}
    assert len(masks(world)) == len(touched(world)) == len(both)
