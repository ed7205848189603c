"""Slack says that a channel became shared with another organisation, or is no longer."""

import time

from bot.core.requests import Stage
from tests.handlers.payloads import CHANNEL, channel_event
from tests.handlers.world import World


def test_what_waits_in_a_channel_that_became_shared_is_cancelled(world: World) -> None:
    request = world.waiting()
    assert world.send(channel_event("channel_shared", channel="C2")).status == 200
    assert world.send(channel_event("channel_shared")).status == 200
    deadline = time.monotonic() + 10
    while len(world.events("channel.shared")) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ended = world.store.get(request.id)
    assert (ended.stage, "shared" in ended.because) == (Stage.CANCELLED, True)
    told = {event["data"]["channel"]: event["data"]["cancelled"] for event in world.events("channel.shared")}
    assert told == {"C2": 0, CHANNEL: 1}


def test_a_channel_that_is_internal_again_cancels_nothing(world: World) -> None:
    request = world.waiting()
    world.send(channel_event("channel_unshared", is_ext_shared=False))
    assert world.store.get(request.id).stage is Stage.WAITING
    assert world.events("channel.shared") == []
