"""Somebody is woken up when nobody decides or nobody knows, once, and is told when it is over: over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.paging import Format
from bot.core.requests import EscalationStep, Outcome, Request, Stage
from bot.edges.clock import SystemClock
from bot.edges.outbound.paging import Receiver, Webhook
from bot.workflow.outbox.deliver import deliver
from tests.edges.receiver import PageReceiver, receiving
from tests.workflow.fleet import Fleet
from tests.workflow.hands import cut_off, let_in
from tests.workflow.invariants import violations
from tests.workflow.lifecycle.test_outcome_unknown import interfering
from tests.workflow.slack import ALICE
from tests.workflow.waiting import MINUTE, waits, without_hosts
from tests.workflow.world import QUICK, World

LADDER = (EscalationStep(5 * MINUTE, ("sre",)), EscalationStep(8 * MINUTE, page=True))
TRIGGERED, RESOLVED = ("trigger", "maskbot-r1"), ("resolve", "maskbot-r1")


@pytest.fixture
def receiver() -> Iterator[PageReceiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def world(tmp_path: Path, receiver: PageReceiver) -> Iterator[World]:
    with without_hosts(tmp_path) as one:
        give_a_pager(one, receiver)
        yield one


def webhook(url: str) -> Webhook:
    """A pager that tells whoever receives pages there."""
    return Webhook(Receiver(url, Format.GENERIC, secret="s3cret"), now=SystemClock().now)


def give_a_pager(world: World, receiver: PageReceiver) -> None:
    told = Receiver(receiver.url, Format.GENERIC, secret="s3cret")
    world.deps = replace(world.deps, pager=Webhook(told, now=world.clock.now))


def work_until(world: World, holds: Callable[[], bool], what: str) -> None:
    with world.running():
        world.until(holds, what)


def undecided(world: World) -> Request:
    """A request that waits for so long that somebody has to get up, and whose card is posted."""
    request = waits(world, steps=LADDER)
    work_until(world, lambda: bool(world.store.card(request.id)[1]), "a card")
    world.clock.ahead += 8 * MINUTE
    return request


def notes(world: World) -> list[str]:
    return [one.text.text for one in world.slack.messages.values() if ":note:" in one.mark]


def test_the_ladder_ends_in_a_page_that_is_over_once_it_is_decided(world: World, receiver: PageReceiver) -> None:
    request = undecided(world)

    work_until(world, lambda: receiver.events() == [TRIGGERED], "a page")
    work_until(world, lambda: len(notes(world)) == 2, "both steps in the thread")
    (call,) = receiver.calls
    assert call.event["summary"].startswith("Not approved yet: the mask of cron.service on web-01, asked by alice")
    assert call.event["details"]["approvals"] == "0 of 1"
    assert call.event["link"].startswith("https://example.slack.com/archives/C1/")
    assert notes(world)[1] == "8 minutes without approval: somebody paged."

    world.desk.withdraw(request.id, by=ALICE.id)
    work_until(world, lambda: receiver.events() == [TRIGGERED, RESOLVED], "the end of the page")

    assert receiver.calls[1].event["summary"].endswith("is withdrawn")
    types = [record["type"] for record in world.store.records()]
    assert (types.count("page.triggered"), types.count("page.resolved")) == (1, 1)
    stored = world.store.get(request.id)
    assert (stored.paging, stored.due_at) == (None, None)


def test_a_page_that_runs_out_of_time_is_over_too(world: World, receiver: PageReceiver) -> None:
    request = undecided(world)
    work_until(world, lambda: receiver.events() == [TRIGGERED], "a page")

    world.clock.ahead += 10 * MINUTE
    work_until(world, lambda: receiver.events() == [TRIGGERED, RESOLVED], "the end of the page")

    assert world.store.get(request.id).stage is Stage.TIMED_OUT


def test_a_receiver_that_is_down_is_told_later_and_in_order(world: World, receiver: PageReceiver) -> None:
    receiver.answers += [(503, {})] * 3
    request = undecided(world)

    work_until(world, lambda: receiver.events() == [TRIGGERED], "a page, in spite of all")
    receiver.answers += [(503, {})] * 2
    world.desk.withdraw(request.id, by=ALICE.id)
    work_until(world, lambda: len(receiver.calls) == 2, "its end, in spite of all")

    assert receiver.events() == [TRIGGERED, RESOLVED]


def test_nobody_is_woken_up_for_what_was_decided_before_the_pager_could_be_reached(
    world: World, receiver: PageReceiver
) -> None:
    receiver.answers += [(503, {})]
    request = undecided(world)
    world.deps = replace(world.deps, timings=replace(QUICK, message_retry=60.0))  # no second try before the decision
    work_until(world, lambda: not receiver.answers, "a try")

    world.desk.withdraw(request.id, by=ALICE.id)
    world.clock.ahead += 5 * MINUTE
    work_until(world, lambda: receiver.events() == [RESOLVED], "the end of what nobody heard of")


def test_whoever_has_no_pager_is_told_that_nobody_was_paged(tmp_path: Path) -> None:
    with without_hosts(tmp_path) as world:
        undecided(world)
        work_until(world, lambda: len(notes(world)) == 2, "both steps in the thread")

        assert notes(world)[1] == "8 minutes without approval: nobody paged, because no pager is configured."
        assert world.store.claim_message("bot-1") is None


def test_a_pager_that_is_taken_away_leaves_nothing_behind_that_is_tried_for_ever(
    world: World, receiver: PageReceiver
) -> None:
    receiver.answers += [(503, {})]
    undecided(world)
    # No second try before the pager is taken away.
    world.deps = replace(world.deps, timings=replace(QUICK, message_retry=60.0))
    work_until(world, lambda: not receiver.answers, "a try")

    world.deps = replace(world.deps, pager=None)
    world.clock.ahead += 5 * MINUTE
    while due := world.store.claim_message("bot-1"):
        deliver(world.deps, due)
    world.clock.ahead += 5 * MINUTE

    assert world.store.claim_message("bot-1") is None
    assert receiver.calls == []


def test_a_slack_that_is_away_keeps_nobody_from_being_woken_up(world: World, receiver: PageReceiver) -> None:
    undecided(world)
    world.slack.trouble = "unreachable"

    work_until(world, lambda: receiver.events() == [TRIGGERED], "a page")

    assert receiver.calls[0].event["link"] is None
    world.slack.trouble = ""


@contextmanager
def lost(fleet: Fleet, folder: Path, receiver: PageReceiver) -> Iterator[tuple[World, Request]]:
    """A change whose host is gone right after its unit was stopped."""
    world = World(fleet.hosts, f"sqlite:///{folder}/var/maskbot.db", ways=fleet.ways)
    give_a_pager(world, receiver)
    with world.store.exclusive():
        with world.running():
            asked = world.mask("tuned")
            with interfering(world.wire.after, verb="stop", happens=lambda: cut_off(fleet.hosts["web-01"])):
                world.vote(asked)
                asked = world.when(asked, lambda now: now.paging is not None, "an unknown outcome")
        yield world, asked
        world.answers.close()
        assert violations(world) == []


def test_what_is_not_known_after_two_minutes_wakes_somebody_up_until_it_is_known(
    fleet: Fleet, tmp_path: Path, receiver: PageReceiver
) -> None:
    with lost(fleet, tmp_path, receiver) as (world, asked):
        assert asked.paging
        assert asked.paging.due_at == (asked.target.unknown_since or asked.asked_at) + timedelta(minutes=2)
        with world.running():
            world.until(lambda: "if it is still not known" in last_card(world, asked), "a word about the page")
        assert receiver.calls == []

        world.clock.ahead += timedelta(minutes=2)
        with world.running():
            world.until(lambda: len(receiver.calls) == 1, "a page")
            world.until(lambda: "Paged  at" in last_card(world, asked), "the page on the card")
            let_in(fleet.hosts["web-01"])
            done = world.until_final(asked)
            world.until(lambda: len(receiver.calls) == 2, "the end of the page")

    assert done.target.outcome is Outcome.PROVEN
    page, over = (call.event for call in receiver.calls)
    assert page["summary"].startswith("Not known: whether the mask of tuned.service on web-01 took effect, since ")
    assert (page["event"], page["source"], page["dedup_key"]) == ("trigger", "web-01", f"maskbot-{asked.id}")
    assert (over["event"], over["dedup_key"]) == ("resolve", page["dedup_key"])
    assert over["summary"] == "Over: the mask of tuned.service on web-01 is masked and proven"


def last_card(world: World, request: Request) -> str:
    (card,) = world.slack.marked(f"{request.id}:card")
    return "\n".join(block.get("text", {}).get("text", "").replace("*", "") for block in card.text.blocks)
