"""Who hears of a request: where its card goes, whom it calls once, which channels are merely told, and who asked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.people.identity import Place
from bot.core.policy.groups import Group
from bot.core.policy.model import Routing, Rule
from bot.core.requests import EscalationStep, Outcome, Request, Stage, Verb, Verdict
from tests.workflow.conftest import Opening
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, INCIDENT, People, Said, caller, words
from tests.workflow.world import POLICY, World

APPROVALS, OPERATIONS, PRIVATE = "C0APPROVE", "C0OPS", "C0PRIVATE"
ROUTING = Routing(card_channel=APPROVALS, mention=("sre", "dba"), tell=(OPERATIONS,))
LADDER = (EscalationStep(timedelta(minutes=5), channel=OPERATIONS),)
PROD = Rule("prod", ask=frozenset({"eng"}), approve=("sre",), routing=ROUTING, escalate=LADDER)
THERE = Rule("there", units=("cron.service",), ask=frozenset({"eng"}), need=2, approve=("sre", "dba"))
IN_PLACE = replace(THERE, routing=replace(ROUTING, card_channel=""))


@pytest.fixture(scope="module")
def world(open_world: Opening) -> Iterator[World]:
    """A running bot whose cards go to a channel of their own, in which alice is not."""
    people = People()
    people.groups["dba"] = {DAVE.id, ALICE.id}
    people.elsewhere = {APPROVALS: {ALICE.id}}
    people.private = {PRIVATE}
    policy = replace(
        POLICY,
        channels=frozenset({APPROVALS}),
        groups=(*POLICY.groups[:1], Group("sre", slack_group="S0SRE"), Group("dba")),
        rules=(PROD, IN_PLACE),
    )
    with open_world(people=people, policy=policy) as one:
        yield one


def card(world: World, request: Request) -> Said:
    world.card(request)
    (one,) = world.slack.marked(f"{request.id}:card")
    return one


def channel_messages(world: World, request: Request, channel: str) -> list[str]:
    """What a channel was told of a request, its card left out; in the order of what it is about, not of when."""
    about = [one for one in list(world.slack.messages.values()) if one.mark.startswith(f"{request.id}:")]
    return [words(one.text) for one in about if one.channel == channel and not one.mark.endswith(":card")]


def test_the_card_goes_where_the_rule_puts_it_and_whoever_asked_is_told_where(world: World) -> None:
    asked = world.mask("tuned")
    assert card(world, asked).channel == APPROVALS
    told = world.ephemeral(ALICE, "waits for approval in #")
    assert "`mask web-01 tuned.service`" in told
    assert told.endswith(f"<{world.slack.permalink(*world.store.card(asked.id))}|the card>")

    done = world.approve(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert {one.channel for one in world.evidence(done)} == {APPROVALS}
    assert {one.thread for one in world.evidence(done)} == {world.store.card(asked.id)[1]}


def test_groups_are_called_once_when_the_card_is_posted_and_never_who_asked(world: World) -> None:
    asked = world.mask("restless")
    assert "*For*  <!subteam^S0SRE> <@UDAVE>" in words(card(world, asked).text)
    world.vote(asked, Verdict.DENY)
    denied = world.until_final(asked)
    assert "S0SRE" not in world.card(denied)
    everything = [words(one.text) for one in list(world.slack.messages.values()) if one.mark.startswith(asked.id)]
    assert "S0SRE" not in "".join(everything)


def test_a_channel_is_told_of_the_request_and_of_its_end_with_a_link_and_calls_nobody(world: World) -> None:
    asked = world.mask("worker")
    world.until(lambda: bool(channel_messages(world, asked, OPERATIONS)), "a word in the operations channel")
    world.vote(asked, Verdict.DENY)
    denied = world.until_final(asked)
    world.until(lambda: len(channel_messages(world, asked, OPERATIONS)) == 2, "both words in the operations channel")
    first, last = sorted(channel_messages(world, denied, OPERATIONS), key=lambda text: "denied" in text)
    link = world.slack.permalink(*world.store.card(asked.id))
    assert first.startswith("alice asks for `mask web-01 worker.service`; it waits for approval.")
    assert first.endswith(f"<{link}|the card>")
    assert f"<{link}|denied (mask): worker.service on web-01> (alice, denied by bob)" in last
    assert "<@" not in first + last


def test_who_asked_is_told_directly_how_it_ended_if_they_are_not_where_the_card_is(world: World) -> None:
    asked = world.mask("tuned", host="web-02")
    world.vote(asked, Verdict.DENY)
    world.until_final(asked)
    world.until(lambda: bool(channel_messages(world, asked, ALICE.id.user)), "a direct message")
    (told,) = channel_messages(world, asked, ALICE.id.user)
    assert "denied (mask): tuned.service on web-02" in told
    assert world.slack.permalink(*world.store.card(asked.id)) in told


def test_and_not_otherwise(world: World) -> None:
    asked = world.mask("tuned", host="db-01", by=CAROL)  # who reads that channel
    world.vote(asked, Verdict.DENY)
    world.until_final(asked)
    owed = f"{asked.id}:line"
    world.until(lambda: bool(world.slack.marked(owed)), "the line")
    late = world.mask("restless", host="db-01", by=CAROL)  # messages come in their order
    world.card(late)
    assert channel_messages(world, asked, CAROL.id.user) == []
    world.desk.withdraw(late.id, by=CAROL.id)
    world.until_final(late)


def test_a_card_in_a_thread_calls_nobody_there_but_once_in_the_channel(world: World) -> None:
    asked = world.ask(Verb.MASK, "cron", place=replace(INCIDENT, thread="1.2"))
    waiting = world.until_answered(asked)
    assert (card(world, waiting).channel, card(world, waiting).thread) == (INCIDENT.channel, "1.2")
    assert "S0SRE" not in words(card(world, waiting).text)
    note = world.note(waiting, "Approval needed")
    assert note.startswith("<!subteam^S0SRE> <@UDAVE> Approval needed: `mask web-01 cron.service`.")
    posted = next(one for one in world.slack.messages.values() if words(one.text) == note)
    assert (posted.channel, posted.thread) == (INCIDENT.channel, "")
    world.desk.withdraw(waiting.id, by=ALICE.id)
    world.until_final(waiting)


def test_what_was_asked_in_a_private_channel_is_echoed_nowhere(world: World) -> None:
    asked = world.until_answered(world.ask(Verb.MASK, "watchdog", place=Place(PRIVATE)))
    assert card(world, asked).channel == PRIVATE
    assert asked.escalation is not None
    climbed = asked.escalation.since + LADDER[0].after
    world.clock.ahead += climbed - world.clock.now()
    world.note(asked, "nobody else notified, because the request is in a private channel")
    done = world.approve(asked, by=BOB)
    world.evidence(done)
    assert channel_messages(world, done, OPERATIONS) == []
    assert {one.channel for one in world.slack.messages.values() if one.mark.startswith(done.id)} == {PRIVATE}


def test_an_undo_of_the_card_elsewhere_stands_beside_it(world: World) -> None:
    done = next(each for each in world.requests() if each.is_live_mask and each.target.unit.text == "tuned.service")
    back = world.desk.undo(done.id, caller(BOB, "undo-1", place=Place(APPROVALS)))
    restored = world.until_final(back)
    assert (restored.stage, restored.target.outcome) == (Stage.DONE, Outcome.RESTORED), restored.because
    assert card(world, restored).channel == APPROVALS
