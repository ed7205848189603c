"""The kill switch by slash command and by mention: recorded before it is acknowledged, once however often it comes."""

import json

import pytest
from slack_bolt import BoltResponse

from bot.core.kill_switch import KillSwitchState, SwitchRequest
from bot.core.people.identity import PersonId, Place
from tests.handlers.payloads import CHANNEL, command, mention
from tests.handlers.world import World


def state(world: World) -> KillSwitchState:
    return world.desk.kill_switch.state


def reply_text(response: BoltResponse) -> str:
    return str(json.loads(response.body)["text"])


def test_what_is_typed_is_recorded_with_who_and_where_and_why(world: World) -> None:
    answer = world.send(command("freeze it masks the wrong hosts", user="UBOB"))
    assert reply_text(answer) == "Got it: `freeze`. Checking that you may."
    (asked,) = state(world).requests
    assert asked == SwitchRequest(
        turns_off=False,
        by=PersonId("T1", "UBOB"),
        name="bob",
        place=Place(CHANNEL),
        reason="it masks the wrong hosts",
        at=asked.at,
        key=asked.key,
    )
    (event,) = world.events("kill_switch.requested")
    assert (event["actor"]["user"], event["data"]["reason"]) == ("UBOB", "it masks the wrong hosts")
    assert world.requests() == []


def test_a_mention_in_a_thread_is_the_same_and_stays_there(world: World) -> None:
    world.send(mention("thaw it is mended", thread="1700000000.000100"))
    (asked,) = state(world).requests
    assert (asked.turns_off, asked.reason, asked.place.thread) == (True, "it is mended", "1700000000.000100")


def test_a_second_delivery_is_one_wish(world: World) -> None:
    payload = command("freeze x")
    for _ in range(3):
        assert world.send(payload).status == 200
    assert len(state(world).requests) == 1
    assert len(world.events("kill_switch.requested")) == 1


def test_several_wishes_are_kept_in_their_order(world: World) -> None:
    for text in ("freeze x", "thaw", "thaw again"):
        world.send(command(text))
    assert [(asked.turns_off, asked.reason) for asked in state(world).requests] == [
        (False, "x"),
        (True, ""),
        (True, "again"),
    ]


@pytest.mark.parametrize("text", ["freeze", "freeze  "])
def test_without_a_reason_nothing_is_recorded_and_no_form_opens(world: World, text: str) -> None:
    assert reply_text(world.send(command(text))) == "Say why new masks are stopped: `/mask freeze REASON`."
    assert state(world) == KillSwitchState()
    assert world.slack.count("views.open") == 0
