"""Requests that could be stuck for ever: each comes to its end, or says on its card why it does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit.request_event import event
from bot.core.hosts.inventory import Host, Inventory
from bot.core.requests import Approval, Ask, Change, Outcome, Request, Sent, Stage, Target, Verb
from bot.core.systemd.guard import Note
from bot.core.systemd.units import Layer, UnitName
from bot.ports import CommandResult
from tests.workflow.invariants import violations
from tests.workflow.slack import ALICE, INCIDENT
from tests.workflow.world import POLICY, World

CRON = UnitName("cron.service")
LINK = ("maskbot-guard", "link", "persistent", "cron.service")


WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")
OURS = "Something went wrong in the bot."


class NoHost:
    """There is no host left to be asked; whatever is sent all the same is a mistake of ours."""

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        raise AssertionError(f"sent {argv} to {host.name}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A running bot whose hosts.yaml has no host any more."""
    yield from _working(World({}, f"sqlite:///{tmp_path}/maskbot.db", ways=NoHost()))


@pytest.fixture
def mistaken(tmp_path: Path) -> Iterator[World]:
    """A running bot that makes a mistake as soon as it looks at its host."""
    url = f"sqlite:///{tmp_path}/maskbot.db"
    yield from _working(World({}, url, ways=NoHost(), inventory=Inventory((WEB,))))


def _working(one: World) -> Iterator[World]:
    with one.store.exclusive(), one.running():
        yield one
        one.answers.close()
        assert violations(one) == []


def stored(world: World, stage: Stage, *, policy: str = POLICY.digest, **target: Any) -> Request:
    """A request of alice's for a host that was there when she asked; `policy` asked for its approvals."""
    now = world.clock.now()
    ask = Ask(Change(Verb.MASK, "web-01", CRON), ALICE.id, "alice", INCIDENT)
    on_host = Target("web-01", CRON, Layer.PERSISTENT, "0123456789abcdef", **target)
    request = Request("r1", "key", ask, now, on_host, stage, due_at=now)
    approval = Approval("prod", 1, ("sre",), now + timedelta(minutes=15), policy=policy)
    allowed = event(request, "policy.evaluated", decision="Allow")
    begun = event(request, "exec.started", digest=on_host.digest)
    events = [allowed, begun] if stage is Stage.RUNNING else []
    return world.store.add(replace(request, approval=approval), events=events)[0]


@pytest.mark.fault("F43", how="Slack says invalid_blocks")
def test_a_card_whose_shape_is_refused_shows_the_newest_in_plain_words(world: World) -> None:
    asked = stored(world, Stage.WAITING)
    world.until(lambda: "[Approve]" in world.card(asked), "a card")
    world.slack.takes_blocks = False
    world.desk.withdraw(asked.id, by=ALICE.id)
    plain = world.card(asked)
    assert plain.startswith("WITHDRAWN · mask cron.service on web-01\n")
    assert "Nothing was changed on web-01." in plain
    assert "[" not in plain


@pytest.mark.parametrize("trouble", ["unreachable", "token_revoked"])
@pytest.mark.fault("F46", "F48", how="Slack does nothing, or revokes the token, until the request is over")
def test_however_long_slack_is_away_the_last_word_is_said_afterwards(world: World, trouble: str) -> None:
    asked = stored(world, Stage.WAITING)
    world.until(lambda: "[Approve]" in world.card(asked), "a card")
    world.slack.trouble = trouble
    world.desk.withdraw(asked.id, by=ALICE.id)
    for _ in range(25):  # as often as it is tried in ten minutes
        _try_again(world)
    world.slack.trouble = ""
    world.clock.ahead += timedelta(minutes=1)
    assert world.card(asked).startswith("WITHDRAWN")


def _try_again(world: World) -> None:
    tries = world.slack.tries
    world.clock.ahead += timedelta(minutes=1)
    world.store.wake()
    world.until(lambda: world.slack.tries > tries, "another try")


def test_a_request_that_waits_for_a_host_that_is_gone_is_cancelled_and_says_why(world: World) -> None:
    asked = world.until_final(stored(world, Stage.WAITING, policy="of another file"))
    assert asked.stage is Stage.CANCELLED
    assert "no host `web-01`" in world.card(asked)


def test_what_was_under_way_on_a_host_that_is_gone_is_not_known_and_says_why(world: World) -> None:
    under_way = stored(world, Stage.RUNNING, sent=(Sent("link", LINK, world.clock.now()),))
    unknown = world.when(under_way, lambda now: now.target.unknown_since is not None, "an unknown outcome")
    assert unknown.stage is Stage.RUNNING
    card = world.card(under_way)
    assert card.startswith("NOT KNOWN YET")
    assert "There is no host `web-01` in hosts.yaml." in card


def test_however_often_it_is_looked_the_record_is_told_once_that_it_is_not_known(world: World) -> None:
    under_way = stored(world, Stage.RUNNING, sent=(Sent("link", LINK, world.clock.now()),))
    world.when(under_way, lambda now: now.version > 4, "several looks")
    assert [record["type"] for record in world.store.chain(after=2)] == ["exec.outcome_unknown"]


def test_what_had_not_begun_on_a_host_that_is_gone_ends_with_nothing_changed(world: World) -> None:
    ended = world.until_final(stored(world, Stage.RUNNING))
    assert ended.target.outcome is Outcome.FAILED
    assert "no host `web-01`" in world.card(ended)


@pytest.mark.fault("F61", how="an exception before anybody was asked")
def test_a_mistake_of_ours_before_anybody_was_asked_is_told_to_the_requester(mistaken: World) -> None:
    asked = mistaken.until_final(stored(mistaken, Stage.ASKED))
    assert asked.stage is Stage.REFUSED
    assert "Nothing was changed." in mistaken.ephemeral(ALICE, OURS)


@pytest.mark.fault("F61", how="an exception before anything was sent")
def test_a_mistake_of_ours_before_anything_was_sent_ends_the_request(mistaken: World) -> None:
    approved = stored(mistaken, Stage.APPROVED)
    assert mistaken.until_final(approved).stage is Stage.CANCELLED
    assert OURS in mistaken.card(approved)


@pytest.mark.fault("F61", how="an exception in the middle")
def test_a_mistake_of_ours_in_the_middle_is_not_known_yet_and_looked_at_again(mistaken: World) -> None:
    under_way = stored(mistaken, Stage.RUNNING, sent=(Sent("link", LINK, mistaken.clock.now()),))
    mistaken.when(under_way, lambda now: now.version > 2, "several looks")
    card = mistaken.card(under_way)
    assert card.startswith("NOT KNOWN YET")
    assert OURS in card
