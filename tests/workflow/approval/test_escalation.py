"""Time brings people back to what waits for them: a countdown, reminders, a ladder, each of them once."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.policy.groups import Group
from bot.core.requests import EscalationStep, Request, Stage, Tally
from bot.workflow.outbox.deliver import deliver
from tests.edges.asked import a_vote
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, INCIDENT, Said, words
from tests.workflow.waiting import MINUTE, waits, without_hosts
from tests.workflow.world import POLICY, World

LADDER = (EscalationStep(5 * MINUTE, ("leads",)), EscalationStep(8 * MINUTE, ("oncall",), channel="COPS"))
GROUPS = (*POLICY.groups, Group("leads"), Group("oncall", slack_group="S0ONCALL"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with without_hosts(tmp_path, policy=replace(POLICY, groups=GROUPS)) as one:
        one.people.groups |= {"leads": {DAVE.id}}
        yield one


def messages(world: World, request: Request, kind: str) -> list[Said]:
    return [one for one in world.slack.messages.values() if one.mark.startswith(f"{request.id}:{kind}")]


def post_card(world: World, request: Request) -> None:
    """Let its card be posted."""
    with world.running():
        world.until(lambda: bool(world.store.card(request.id)[1]), "a card")


def work_until(world: World, request: Request, *, reminders: int) -> list[str]:
    """Let the bot work until so many reminders are said; the words of all of them."""
    with world.running():
        world.until(lambda: len(messages(world, request, "reminder")) >= reminders, f"{reminders} reminders")
    return [one.text.text for one in messages(world, request, "reminder")]


def test_a_bot_that_was_away_reminds_once_and_only_those_who_can_still_decide(world: World) -> None:
    world.people.groups["sre"].add(ALICE.id)  # who asked never decides
    request = waits(world, within=180 * MINUTE, remind=(5 * MINUTE, 10 * MINUTE, 60 * MINUTE))
    post_card(world, request)

    world.clock.ahead += 30 * MINUTE
    (reminder,) = work_until(world, request, reminders=1)

    assert reminder.startswith("<@UBOB> <@UCAROL> <https://example.slack.com/")
    assert reminder.endswith(" (2 hours 30 minutes left).")
    (one,) = messages(world, request, "reminder")
    assert (one.channel, one.thread) == (INCIDENT.channel, request.ask.place.thread)  # where the card stands
    stored = world.store.get(request.id)
    assert stored.escalation
    assert stored.due_at == stored.escalation.since + 60 * MINUTE


def test_who_has_voted_is_left_in_peace(world: World) -> None:
    request = waits(world, remind=(5 * MINUTE,))
    assert request.approval
    votes = (a_vote(BOB.id, tally=Tally.COUNTED), a_vote(CAROL.id, tally=Tally.REFUSED))
    request = world.store.save(replace(request, approval=replace(request.approval, need=2), votes=votes))
    post_card(world, request)

    world.clock.ahead += 5 * MINUTE

    (reminder,) = work_until(world, request, reminders=1)
    assert "UBOB" not in reminder
    assert reminder.startswith("<@UCAROL> ")


def test_only_groups_that_still_lack_their_approval_are_reminded(world: World) -> None:
    request = waits(world, remind=(5 * MINUTE,))
    assert request.approval
    both = replace(request.approval, need=2, groups=("sre", "leads"), distinct=True)
    votes = (a_vote(BOB.id, tally=Tally.COUNTED, groups=("sre",)),)
    request = world.store.save(replace(request, approval=both, votes=votes))
    post_card(world, request)

    world.clock.ahead += 5 * MINUTE

    (reminder,) = work_until(world, request, reminders=1)
    assert reminder.startswith("<@UDAVE> <https://")
    assert "needs 1 more approval" in reminder


def test_a_reminder_that_slack_kept_from_people_is_not_said_once_the_next_one_is_due(world: World) -> None:
    request = waits(world, within=60 * MINUTE, remind=(5 * MINUTE, 15 * MINUTE, 35 * MINUTE))
    post_card(world, request)

    world.slack.trouble = "unreachable"
    with world.running():
        for minutes in (5, 10):
            world.clock.ahead += minutes * MINUTE
            since = world.store.get(request.id).version
            world.until(lambda since=since: world.store.get(request.id).version > since, "a reminder")  # type: ignore[misc]
        world.slack.trouble = ""
        world.until(lambda: bool(messages(world, request, "reminder")), "the reminder")

    (reminder,) = work_until(world, request, reminders=1)
    assert "(45 minutes left)" in reminder


def test_nobody_is_called_for_what_is_decided(world: World) -> None:
    request = waits(world, remind=(5 * MINUTE,))
    post_card(world, request)
    world.slack.trouble = "unreachable"
    world.clock.ahead += 5 * MINUTE
    with world.running():
        world.until(lambda: "request.reminded" in kinds(world), "a reminder on record")
    world.desk.withdraw(request.id, by=ALICE.id)

    world.slack.trouble = ""
    world.clock.ahead += 1 * MINUTE
    while due := world.store.claim_message("bot-1"):
        deliver(world.deps, due)

    assert "WITHDRAWN" in render_card(world, request)
    assert messages(world, request, "reminder") == []


def kinds(world: World) -> list[str]:
    return [str(record["type"]) for record in world.store.records()]


def test_every_step_of_the_ladder_is_taken_once_and_stands_in_the_thread(world: World) -> None:
    request = waits(world, steps=LADDER)
    post_card(world, request)

    world.clock.ahead += 5 * MINUTE
    (first,) = work_until(world, request, reminders=1)
    world.clock.ahead += 3 * MINUTE
    _, second = work_until(world, request, reminders=2)
    work_until(world, request, reminders=2)  # another start takes no step again

    assert first.startswith("<@UDAVE> <https://")
    assert second.startswith("<!subteam^S0ONCALL> <https://")
    assert [one.channel for one in messages(world, request, "reminder")] == [INCIDENT.channel, "COPS"]
    notes = [one.text.text for one in messages(world, request, "note")]
    assert notes == [
        "5 minutes without approval: @leads notified.",
        "8 minutes without approval: @oncall notified, another channel notified.",
    ]
    assert kinds(world).count("request.escalated") == 2


def test_steps_that_came_due_while_no_bot_ran_are_all_taken(world: World) -> None:
    request = waits(world, steps=LADDER)
    post_card(world, request)

    world.clock.ahead += 9 * MINUTE
    work_until(world, request, reminders=2)

    assert len(messages(world, request, "note")) == 2


def render_card(world: World, request: Request) -> str:
    (card,) = world.slack.marked(f"{request.id}:card")
    return words(card.text)


def test_the_card_counts_down_and_ends_with_its_time(world: World) -> None:
    request = waits(world)
    post_card(world, request)
    assert ", 15 minutes left" in world.card(request)

    assert request.approval
    end = request.approval.approve_by
    with world.running():
        for minutes, says in (
            (10, ", 10 minutes left"),
            (5, ", 5 minutes left"),
            (1, r", (1 minute|\d+ seconds) left"),
        ):
            world.clock.ahead += end - minutes * MINUTE - world.clock.now()
            world.until(lambda says=says: bool(re.search(says, render_card(world, request))), says)  # type: ignore[misc]
        world.clock.ahead += end - world.clock.now()
        ended = world.until_final(request)

    assert ended.stage is Stage.TIMED_OUT
    assert "[Approve]" not in world.card(ended)
    (card,) = world.slack.marked(f"{request.id}:card")
    assert card.edits == 4
