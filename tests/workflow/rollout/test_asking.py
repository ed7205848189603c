"""A rollout as people ask for it: the words typed in Slack or at a terminal, and the same words to undo it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from bot.core.requests import Outcome, Request, Selection, Stage, TargetStatus
from bot.core.systemd.units import UnitName
from bot.ports import Query
from handlers import ask
from handlers.cli import BotState, Shell
from tests.workflow.rollout.rolled import rolled_out
from tests.workflow.slack import ALICE, BOB, caller
from tests.workflow.world import World

WORKER = UnitName("worker.service")


def newest(world: World) -> Request:
    """The newest request that is no target of a rollout."""
    return world.store.find(Query(rollout=""))[0]


def statuses(request: Request) -> dict[str, TargetStatus]:
    assert request.rollout
    return {one.host: one.status for one in request.rollout.targets}


def test_words_mask_many_hosts_and_the_same_words_undo_them_without_a_vote(world: World) -> None:
    words = "web-01,web-02 worker"
    said = ask.mask(world.desk, caller(ALICE, "mask"), f"{words} --waves 1,rest leak", form=None)  # type: ignore[arg-type]
    assert said == "Got it: `mask web-01,web-02 worker.service --waves 1,rest`. Checking each host."
    asked = world.until_answered(newest(world))
    assert asked.ask.selection == Selection(("web-01", "web-02"), (WORKER,), ("1", "rest"))
    done = world.approve(asked)
    assert statuses(done) == dict.fromkeys(("web-01", "web-02"), TargetStatus.DONE)

    ask.unmask(world.desk, caller(ALICE, "unmask"), f"{words} it is mended", None)  # type: ignore[arg-type]
    undone = world.until_final(newest(world))
    assert (undone.stage, undone.ask.undoes, undone.votes) == (Stage.DONE, done.id, ())
    assert statuses(undone) == dict.fromkeys(("web-01", "web-02"), TargetStatus.DONE)
    assert world.store.get(done.id).undone_by == undone.id


def test_several_masks_of_ours_are_undone_at_once_by_those_who_may_undo_each(world: World) -> None:
    masks = [world.masked("worker", host=host) for host in ("web-01", "web-02")]
    ask.unmask(world.desk, caller(BOB, "unmask"), "web-02,web-01 worker it is mended", None)  # type: ignore[arg-type]
    undone = world.until_final(newest(world))
    assert (undone.stage, undone.votes, undone.ask.undoes) == (Stage.DONE, (), "")
    assert [world.store.get(one.id).undone_by != "" for one in masks] == [True, True]
    assert {one.outcome for one in undone.rollout.targets} == {Outcome.RESTORED} if undone.rollout else False


def test_one_mask_by_others_among_them_takes_a_vote_for_all(world: World) -> None:
    world.masked("worker", host="web-01")
    world.hosts["web-02"].run("systemctl", "mask", "worker")
    ask.unmask(world.desk, caller(ALICE, "unmask"), "web-01,web-02 worker it is mended", None)  # type: ignore[arg-type]
    asked = world.until_answered(newest(world))
    assert (asked.stage, asked.approval and asked.approval.need) == (Stage.WAITING, 1), asked.because


def test_who_waits_at_a_terminal_is_told_how_each_target_ended(world: World) -> None:
    now = world.in_force.now
    world.in_force.put(replace(now, policy=replace(now.policy, people={"alice": ALICE.id})))
    shell = Shell(world.desk, world.deps, lambda: BotState(is_ready=True, slack="connected"))
    words = {"do": "change", "verb": "mask", "text": "web-01,web-02 worker,patient leak", "wait": True, "key": "1"}

    def told() -> list[Any]:
        return [one for one in shell.serve(words, "alice") if one["event"] != "beat"]

    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(told)
        world.until(lambda: bool(world.store.find(Query(rollout=""))), "a request")
        world.approve(world.until_answered(newest(world)))
        *states, end = waits.result(timeout=60)
    assert end["exit"] == 0
    last = states[-1]["request"]["rollout"]
    assert last["counts"] == {"done": 2, "left_out": 2}
    assert {one["outcome"] for one in last["targets"] if one["unit"] == "worker.service"} == {Outcome.PROVEN}
    assert [one["rollout"] is not None for one in (states[0]["request"], states[-1]["request"])] == [False, True]


def test_a_set_with_more_targets_than_a_request_may_have_is_refused_with_what_would_do(world: World) -> None:
    now = world.in_force.now
    limits = replace(now.policy.limits, targets=3)
    world.in_force.put(replace(now, policy=replace(now.policy, digest="8" * 64, limits=limits)))
    refused = rolled_out(world, "web-01", "web-02", units=("beat",), with_triggers=True)
    assert refused.stage is Stage.REFUSED
    assert "that is 4 targets on 2 hosts, and one request may have 3. Name fewer" in refused.because
    assert rolled_out(world, "web-01", units=("beat",), with_triggers=True).stage is Stage.WAITING
