"""The buttons of a rollout: each press is recorded once, under the name of whoever pressed."""

from dataclasses import replace

import pytest

from bot.core.requests import FollowupKind, Outcome, Request, Rollout, RolloutTarget, Stage, TargetStatus
from bot.core.systemd.units import UnitName
from tests.handlers.payloads import click
from tests.handlers.test_approval import value
from tests.handlers.world import World

CRON = UnitName("cron.service")
DONE = RolloutTarget("web-01", CRON, "t1", TargetStatus.DONE, wave=1, outcome=Outcome.PROVEN.value)
FAILED = RolloutTarget("web-02", CRON, "t2", TargetStatus.FAILED, wave=2, outcome=Outcome.FAILED.value)
READY = replace(FAILED, status=TargetStatus.READY, outcome="")


def running(world: World, *targets: RolloutTarget) -> Request:
    """A rollout that alice asked for, and that is being carried out."""
    asked = world.ask("web-01,web-02 cron runaway job")
    planned = replace(asked, rollout=Rollout(targets=targets, wave=1)).on_target(digest="0123456789abcdef")
    request = world.store.save(planned.move(Stage.APPROVED))
    card = world.posted(request)
    return world.moved(card, Stage.RUNNING)


def press(world: World, action: str, request: Request) -> None:
    world.send(click(action, value(request), respond=f"{world.slack.base}respond"))


@pytest.mark.parametrize("kind", [FollowupKind.GO_ON, FollowupKind.PAUSE, FollowupKind.STOP_HERE])
def test_it_is_recorded_who_steers_it(world: World, kind: FollowupKind) -> None:
    request = running(world, DONE, READY)
    if kind is FollowupKind.GO_ON and request.rollout:  # there is something to go on with
        paused = replace(request.rollout, paused_at=request.asked_at)
        request = world.store.save(replace(request, rollout=paused))
    press(world, kind.value, request)
    (followup,) = world.store.get(request.id).followups
    assert (followup.kind, followup.by.user, followup.name) == (kind, "UBOB", "bob")


def test_what_is_over_cannot_be_steered_and_whoever_tries_is_told(world: World) -> None:
    request = world.moved(running(world, DONE, FAILED), Stage.DONE)
    press(world, "pause", request)
    assert "not being carried out" in world.slack.call("respond")["text"]
    assert world.store.get(request.id).followups == ()


def test_what_failed_is_asked_for_once_more(world: World) -> None:
    request = world.moved(running(world, DONE, FAILED), Stage.DONE)
    press(world, "retry_failed", request)
    again = world.requests()[0]
    assert (again.ask.repeats, again.ask.requester.user) == (request.id, "UBOB")
    assert again.ask.selection
    assert again.ask.selection.hosts == ("web-02",)


def test_all_of_it_is_undone_by_one_request(world: World) -> None:
    request = world.moved(running(world, DONE, FAILED), Stage.DONE)
    press(world, "undo_all", request)
    assert world.requests()[0].ask.undoes == request.id


def test_a_mask_is_asked_for_together_with_what_triggers_its_unit(world: World) -> None:
    request = world.moved(world.moved(world.moved(world.waiting(), Stage.APPROVED), Stage.RUNNING), Stage.DONE)
    press(world, "mask_the_set", request)
    asked = world.requests()[0].ask
    assert asked.selection
    assert (asked.selection.hosts, asked.selection.units, asked.selection.with_triggers) == (("web-01",), (CRON,), True)
