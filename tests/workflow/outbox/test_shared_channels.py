"""A channel becomes shared with another organisation: nothing is posted there any more, and what waits there ends."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.cards import plain
from bot.core.hosts.inventory import Host, Inventory
from bot.core.people.identity import Place
from bot.core.requests import Stage
from bot.errors import SlackError, Unverified
from tests.workflow.outbox.test_channel_gone import WITH_OPERATIONS, operators_read, posted_card
from tests.workflow.slack import ALICE, BOB, INCIDENT
from tests.workflow.waiting import waits, without_hosts
from tests.workflow.world import World

MINUTE = timedelta(minutes=1)
SHELL = "CSHELL"
WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[World]:
    policy = replace(WITH_OPERATIONS, shell_channel=SHELL)
    with without_hosts(tmp_path, policy=policy, inventory=Inventory((WEB,))) as one:
        yield one


@pytest.fixture
def world(idle: World) -> Iterator[World]:
    with idle.running():
        yield idle


def seen_there(world: World, channel: str = INCIDENT.channel) -> list[tuple[str, int]]:
    """What strangers could read: every message in the channel, and how often it was edited."""
    return [(ts, said.edits) for ts, said in world.slack.messages.items() if said.channel == channel]


def is_shared(world: World, channel: str = INCIDENT.channel) -> None:
    """Somebody accepts an invitation to the channel; no event reaches the bot."""
    world.people.shared.add(channel)
    world.clock.ahead += MINUTE


def test_without_an_event_a_waiting_request_ends_at_its_next_message_and_strangers_read_nothing(world: World) -> None:
    request = waits(world)
    posted_card(world, request)
    before = seen_there(world)
    is_shared(world)
    world.store.save(world.store.get(request.id))  # something has to be shown

    ended = world.until_final(request)
    assert (ended.stage, "shared with another organisation" in ended.because) == (Stage.CANCELLED, True)
    assert "CANCELLED" in world.direct(ALICE, "so this is posted here")
    operators_read(world, "so this is posted here")
    assert seen_there(world) == before


@pytest.mark.parametrize("has_card", [True, False])
def test_the_event_ends_what_waits_there_at_once_and_tells_the_operators(idle: World, *, has_card: bool) -> None:
    request = waits(idle)
    with idle.running():
        if has_card:
            posted_card(idle, request)
    before = seen_there(idle)
    idle.desk.channel_shared(INCIDENT.channel, is_shared=True)
    with idle.running():
        assert idle.until_final(request).stage is Stage.CANCELLED
        assert "Cancelled there: 1 waiting." in operators_read(idle, "is shared with another organisation now")
        idle.direct(ALICE, "so this is posted here")
    assert seen_there(idle)[: len(before)] == before
    assert len(seen_there(idle)) <= 1
    (event,) = [event for event in idle.store.chain() if event["type"] == "channel.shared"]
    assert event["data"] == {"channel": INCIDENT.channel, "cancelled": 1}


def test_nothing_new_is_posted_in_the_channel_of_the_command_line_once_it_is_shared(world: World) -> None:
    is_shared(world, SHELL)
    request = world.ask_mask("tuned", place=Place("shell"))
    ended = world.until_final(request)
    assert (ended.stage, SHELL in ended.because) == (Stage.REFUSED, True)
    assert world.wire.calls == []
    assert seen_there(world, SHELL) == []


def test_an_answer_for_one_person_is_sent_to_them_directly(idle: World) -> None:
    is_shared(idle)
    with pytest.raises(SlackError, match="shared"):
        idle.deps.channel.post(INCIDENT, plain("to be read by all"), mark="x")
    idle.deps.channel.whisper(INCIDENT, BOB.id.user, plain("for you"))
    assert "for you" in idle.slack.whispers[0][1]
    assert idle.slack.places == [("home", BOB.id.user)]


def test_where_slack_does_not_say_whether_it_is_shared_a_message_waits(
    idle: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: Place) -> Place:
        raise Unverified("Slack did not say.")

    monkeypatch.setattr(idle.people, "place", silent)
    with pytest.raises(SlackError) as error:
        idle.deps.channel.post(INCIDENT, plain("x"), mark="x")
    assert (error.value.passing, seen_there(idle)) == (True, [])


def test_slack_is_asked_about_a_channel_once_a_minute_and_an_event_counts_at_once(
    idle: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    place = idle.people.place

    def counted(one: Place) -> Place:
        asked.append(one.channel)
        return place(one)

    monkeypatch.setattr(idle.people, "place", counted)
    for _ in range(20):
        idle.deps.channel.post(INCIDENT, plain("x"), mark="x")
    assert asked == [INCIDENT.channel]
    idle.clock.ahead += MINUTE
    idle.deps.channel.post(INCIDENT, plain("x"), mark="x")
    assert len(asked) == 2

    idle.desk.channel_shared(INCIDENT.channel, is_shared=True)
    with pytest.raises(SlackError):
        idle.deps.channel.post(INCIDENT, plain("x"), mark="x")
    idle.desk.channel_shared(INCIDENT.channel, is_shared=False)
    idle.deps.channel.post(INCIDENT, plain("x"), mark="x")
    assert len(asked) == 3


def test_a_channel_that_one_organisation_left_may_still_be_shared(idle: World) -> None:
    idle.people.shared.add(INCIDENT.channel)
    idle.desk.channel_shared(INCIDENT.channel, is_shared=False)
    with pytest.raises(SlackError, match="shared"):
        idle.deps.channel.post(INCIDENT, plain("x"), mark="x")


def test_an_event_counts_that_comes_while_slack_is_asked(idle: World, monkeypatch: pytest.MonkeyPatch) -> None:
    place = idle.people.place

    def overtaken(one: Place) -> Place:
        answer = place(one)
        idle.desk.channel_shared(one.channel, is_shared=True)
        return answer

    monkeypatch.setattr(idle.people, "place", overtaken)
    for _ in range(2):
        with pytest.raises(SlackError, match="shared"):
            idle.deps.channel.post(INCIDENT, plain("to be read by all"), mark="x")
    assert seen_there(idle) == []


@pytest.mark.parametrize("name", ["partners", "#partners", "c0partners", "D-partners", "Partners", "CPARTNERS "])
def test_a_channel_by_its_name_is_none(idle: World, name: str) -> None:
    """Slack would post there, but does not say who reads there. Only rows of the outbox could name one."""
    with pytest.raises(SlackError, match="is no id of a channel or a person"):
        idle.deps.channel.post(Place(name), plain("one"), mark="")
    with pytest.raises(SlackError):
        idle.deps.channel.update(name, "1.1", plain("one"))
    assert seen_there(idle, name) == []


@pytest.mark.parametrize("place", ["UALICE", "WALICE", "D0123ABC"])
def test_a_person_is_written_to_directly(idle: World, place: str) -> None:
    idle.deps.channel.post(Place(place), plain("one"), mark="")
    assert len(seen_there(idle, place)) == 1
