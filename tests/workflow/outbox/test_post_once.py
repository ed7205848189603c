"""Whatever becomes of the answer, a message stands in Slack once: it is looked for before it is posted again."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.people.identity import Place
from bot.core.requests import Sent, Stage
from bot.edges.database import Database, DatabaseLimits
from bot.ports import DueMessage, Message, MessageKind
from bot.workflow.outbox.deliver import deliver
from tests.edges.asked import an_event
from tests.lab.keys import KEYS
from tests.workflow.invariants import violations
from tests.workflow.slack import BOB, INCIDENT
from tests.workflow.waiting import waits, without_hosts
from tests.workflow.world import World

SAID = (
    Message(MessageKind.LINE),
    Message(MessageKind.LINE, to=BOB.id.user),
    Message(MessageKind.NOTE, body="a note"),
    Message(MessageKind.NOTE, body="a note elsewhere", place=Place("C2")),
    Message(MessageKind.REMINDER),
    Message(MessageKind.DIRECT, to=BOB.id.user, body="to bob"),
    Message(MessageKind.EVIDENCE),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with without_hosts(tmp_path) as one:
        yield one
        assert violations(one) == []


def say_all(world: World) -> None:
    """Say what is due until nothing is, whatever Slack answers."""
    while due := next_due(world):
        deliver(world.deps, due)


def next_due(world: World) -> DueMessage | None:
    due = world.store.claim_message("poster")
    if due is None:
        world.clock.ahead += timedelta(seconds=5)  # more than the pause before another try
        due = world.store.claim_message("poster")
    return due


@pytest.mark.fault("F40", how="Slack posts the message and its answer is lost, whatever the message")
def test_every_kind_of_message_is_posted_once_though_no_answer_comes_back(world: World) -> None:
    request = waits(world)
    world.people.elsewhere[INCIDENT.channel] = {request.owner}
    sent = Sent("link", ("systemctl", "mask"), request.asked_at, exit_code=0)
    world.store.save(request.on_target(sent=(sent,)), messages=SAID)
    world.store.record([an_event()], [Message(MessageKind.NOTE, body="to all", place=INCIDENT)])
    world.slack.answers_to_lose = 100
    say_all(world)
    marks = Counter(said.mark for said in world.slack.messages.values())
    assert set(marks.values()) == {1}, marks
    assert len(marks) == 1 + len(SAID) + 1


@pytest.mark.fault("F39", how="429 with a Retry-After of seven seconds", saw="the card, seven seconds later")
def test_what_slack_asks_to_wait_is_waited_also_if_the_request_moves_on(world: World) -> None:
    request = waits(world)
    world.slack.trouble, world.slack.retry_after = "ratelimited", 7.0
    due = world.store.claim_message("poster")
    assert due is not None
    deliver(world.deps, due)
    world.slack.trouble = ""
    for seconds in (1, 5):
        world.clock.ahead += timedelta(seconds=seconds)
        request = world.store.save(replace(request, because=f"{seconds} s later"))
        assert world.store.claim_message("poster") is None
    world.clock.ahead += timedelta(seconds=1)
    due = world.store.claim_message("poster")
    assert due is not None
    deliver(world.deps, due)
    assert world.store.card(request.id)[1] in world.slack.messages


def test_a_card_that_was_posted_before_a_doubt_shows_the_newest(world: World) -> None:
    request = waits(world)
    world.slack.answers_to_lose = 1
    due = world.store.claim_message("poster")
    assert due is not None
    deliver(world.deps, due)
    world.store.save(request.move(Stage.WITHDRAWN, because="Enough."))
    say_all(world)
    assert world.card(request).startswith("WITHDRAWN")


def test_while_slack_does_not_say_what_stands_there_nothing_is_posted_on_a_guess(world: World) -> None:
    request = waits(world)
    world.slack.answers_to_lose = 1
    first = world.store.claim_message("poster")
    assert first is not None
    deliver(world.deps, first)
    world.slack.trouble = "unreachable"
    again = next_due(world)
    assert again is not None
    deliver(world.deps, again)
    assert len(world.slack.messages) == 1
    world.slack.trouble = ""
    say_all(world)
    assert len(world.slack.messages) == 1
    assert world.store.card(request.id)[1] in world.slack.messages


@pytest.mark.parametrize("kind", [MessageKind.CARD, MessageKind.NOTE, MessageKind.EVIDENCE])
@pytest.mark.fault("F54", how="a replica that lost its lease posts all the same")
def test_who_posts_after_his_lease_has_run_out_takes_his_twin_back(
    world: World, tmp_path: Path, kind: MessageKind
) -> None:
    """He looked in time, and froze before he posted: only afterwards can he know."""
    request = waits(world)
    if kind is not MessageKind.CARD:
        say_all(world)
    if kind is MessageKind.NOTE:
        world.store.record([an_event()], [Message(kind, body="to all", place=INCIDENT)])
    if kind is MessageKind.EVIDENCE:
        sent = Sent("link", ("systemctl", "mask"), request.asked_at, exit_code=0)
        world.store.save(request.on_target(sent=(sent,)), messages=[Message(kind)])
        card = world.store.claim_message("poster")
        assert card is not None
        deliver(world.deps, card)
    url = f"sqlite:///{tmp_path}/var/maskbot.db"
    hasty = Database(
        url, clock=world.clock, instance="frozen", keys=KEYS, limits=DatabaseLimits(message_lease=timedelta(0))
    )
    frozen = hasty.claim_message("frozen")
    hasty.close()
    assert frozen is not None
    assert frozen.message.kind is kind
    say_all(world)
    posted = dict(world.slack.messages)
    deliver(world.deps, frozen)
    say_all(world)
    assert world.slack.messages == posted
