"""A renderer that fails keeps nobody from the state and the buttons; it is counted, and everything else goes on."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bot.core.cards import approval, closed, done, expiry, handover, home, running
from bot.core.hosts.inventory import Host, Inventory
from bot.core.requests import Aftercare, Outcome, Request, Sent, Stage
from bot.edges.metrics import RenderFailures
from bot.ports import Message, MessageKind
from bot.workflow.engine.workers import advance
from bot.workflow.outbox import deliver
from bot.workflow.outbox.deliver import deliver as say
from bot.workflow.queries import answers
from bot.workflow.queries import home as gathering
from bot.workflow.queries.home import render_home
from tests.core.cards.cases import INFINITE
from tests.core.situations import snapshot
from tests.edges.asked import an_event
from tests.workflow.slack import ALICE, BOB, INCIDENT, caller, words
from tests.workflow.waiting import waits, without_hosts
from tests.workflow.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    host = Host("web-01", "127.0.0.1", 22, "maskbot", "prod")
    with without_hosts(tmp_path, inventory=Inventory((host,))) as one:
        yield one


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """Make a renderer throw, as one does that meets what nobody foresaw."""

    def throw(*_: object, **__: object) -> Any:
        raise OverflowError("cannot convert float infinity to integer")

    return lambda module, name: monkeypatch.setattr(module, name, throw)


def say_all(world: World) -> None:
    while due := world.store.claim_message("speaker"):
        say(world.deps, due)


def text_with_mark(world: World, mark: str) -> str:
    (one,) = world.slack.marked(mark)
    return words(one.text)


def render_failures(world: World) -> dict[str, int]:
    """As Prometheus reads it."""
    registry = CollectorRegistry()
    registry.register(RenderFailures(lambda: world.deps.liveness.render_failures))
    found = re.findall(
        r'^maskbot_render_failures_total\{kind="(\w+)"\} (\d+)', generate_latest(registry).decode(), re.MULTILINE
    )
    return {kind: int(count) for kind, count in found}


def test_a_card_that_fails_at_every_stage_still_shows_the_stage_and_its_buttons(
    world: World, breaks: Callable[[Any, str], None]
) -> None:
    for module in (approval, running, closed):
        breaks(module, "card")
    breaks(deliver, "line")
    request = waits(world)
    say_all(world)
    assert text_with_mark(world, f"{request.id}:card").startswith("MASK, NEEDS APPROVAL · ")
    assert "[Approve] [Deny] [Withdraw] [Details]" in text_with_mark(world, f"{request.id}:card")

    request = world.store.save(request.move(Stage.TIMED_OUT, because="Nobody decided."), messages=[LINE])
    say_all(world)
    assert text_with_mark(world, f"{request.id}:card").startswith("MASK, TIMED OUT · ")
    assert "[Details]" in text_with_mark(world, f"{request.id}:card")
    assert text_with_mark(world, f"{request.id}:line").endswith(f"mask, timed out: {request.target.unit} on web-01>")
    assert render_failures(world) == {"card": 2, "line": 1}


LINE = Message(MessageKind.LINE)


def test_a_finished_card_of_a_unit_without_a_limit_is_drawn_and_never_stays_under_way(
    world: World, breaks: Callable[[Any, str], None]
) -> None:
    request = world.store.save(waits(world).move(Stage.APPROVED))
    request = world.store.save(request.move(Stage.RUNNING))
    say_all(world)
    assert "under way" in text_with_mark(world, f"{request.id}:card")
    before = replace(snapshot(), timeout_stop_usec=INFINITE)
    after = replace(snapshot(), result="timeout")
    request = request.on_target(before=before, after=after, outcome=Outcome.PROVEN)
    request = world.store.save(request.move(Stage.DONE, finished_at=world.clock.now()))
    say_all(world)
    assert text_with_mark(world, f"{request.id}:card").startswith("MASKED AND PROVEN")
    assert render_failures(world) == {}

    breaks(done, "card")
    world.store.save(replace(request, because="drawn anew"))
    say_all(world)
    assert text_with_mark(world, f"{request.id}:card").startswith("MASKED AND PROVEN · ")
    assert "[Unmask] [Set an expiry] [Keep] [Details]" in text_with_mark(world, f"{request.id}:card")
    assert render_failures(world) == {"card": 1}


THREAD = (
    ("evidence", MessageKind.EVIDENCE, "maskbot audit export"),
    ("note", MessageKind.NOTE, "what was found"),
    ("reminder", MessageKind.REMINDER, "mask, needs approval"),
)


@pytest.mark.parametrize(("renderer", "kind", "part"), THREAD, ids=[one[0] for one in THREAD])
def test_what_belongs_to_a_thread_is_said_plainly(
    world: World, breaks: Callable[[Any, str], None], renderer: str, kind: MessageKind, part: str
) -> None:
    breaks(deliver, renderer)
    request = waits(world)
    sent = Sent("link", ("systemctl", "mask"), request.asked_at, exit_code=0)
    world.store.save(request.on_target(sent=(sent,)), messages=[Message(kind, body="what was found")])
    say_all(world)
    assert part in text_with_mark(world, f"{request.id}:{kind}")
    assert render_failures(world) == {renderer: 1}


def test_what_is_said_to_one_person_or_belongs_to_no_request_is_said_plainly(
    world: World, breaks: Callable[[Any, str], None]
) -> None:
    for renderer in ("note", "plain"):
        breaks(deliver, renderer)
    request = waits(world)
    world.store.save(
        request,
        messages=[
            Message(MessageKind.DIRECT, to=BOB.id.user, body="for <bob>"),
            Message(MessageKind.WHISPER, to=BOB.id.user, body="quietly"),
        ],
    )
    world.store.record([an_event()], [Message(MessageKind.NOTE, body="to all", place=INCIDENT)])
    say_all(world)
    assert text_with_mark(world, f"{request.id}:direct").startswith("for &lt;bob&gt;")
    assert "quietly" in world.ephemeral(BOB, "quietly")
    assert text_with_mark(world, "announcement").startswith("to all")
    assert render_failures(world) == {"note": 3}


def test_a_digest_names_what_else_can_be_asked(world: World, breaks: Callable[[Any, str], None]) -> None:
    breaks(handover, "scheduled_handover")
    world.store.record([an_event()], [Message(MessageKind.HANDOVER, place=INCIDENT)])
    say_all(world)
    assert "/mask handover" in text_with_mark(world, "announcement")
    assert render_failures(world) == {"handover": 1}


def test_somebodys_page_lists_what_waits_for_them(world: World, breaks: Callable[[Any, str], None]) -> None:
    breaks(home, "view")
    request = waits(world)
    page = str(render_home(world.deps, BOB.id))
    assert f"{request.target.unit} on web-01" in page
    assert "'approve'" in page
    assert render_failures(world) == {"home": 1}


def test_a_page_that_cannot_even_be_gathered_says_so_and_can_be_drawn_anew(
    world: World, breaks: Callable[[Any, str], None]
) -> None:
    breaks(gathering, "gather_home")
    world.desk.home.show(BOB.id)
    world.until(lambda: BOB.id.user in world.slack.pages, "a page")
    page = str(world.slack.pages[BOB.id.user])
    assert "The bot failed to collect your requests" in page
    assert "'refresh'" in page
    assert render_failures(world) == {"home": 1}


def test_details_show_where_it_stands(world: World, breaks: Callable[[Any, str], None]) -> None:
    breaks(answers, "details")
    request = waits(world)
    world.desk.details(request.id, caller(ALICE))
    assert "MASK, NEEDS APPROVAL" in world.ephemeral(ALICE, "failed to show")
    assert render_failures(world) == {"details": 1}


def test_a_sentence_that_fails_keeps_no_mask_from_its_end_nor_its_owner_from_hearing(
    world: World, breaks: Callable[[Any, str], None]
) -> None:
    breaks(expiry, "expiry_reminder")
    now = world.clock.now()
    request = world.store.save(waits(world).move(Stage.APPROVED))
    request = world.store.save(request.move(Stage.RUNNING))
    aftercare = Aftercare(expires_at=now + timedelta(minutes=10), remind_at=now)
    masked = request.on_target(before=snapshot(), after=snapshot(), outcome=Outcome.PROVEN)
    masked = world.store.save(replace(masked.move(Stage.DONE, finished_at=now), aftercare=aftercare))
    claim = world.store.claim("worker")
    assert claim is not None
    kept = advance(world.deps, claim)
    assert (kept.aftercare.remind_at, kept.aftercare.expires_at) == (None, aftercare.expires_at)
    say_all(world)
    assert text_with_mark(world, f"{masked.id}:direct").startswith(
        "cron.service on web-01 has changed (masked and proven)"
    )
    assert render_failures(world) == {"sentence": 1}


def test_slack_that_takes_no_shape_of_it_still_gets_the_words(world: World) -> None:
    request: Request = waits(world)
    world.slack.takes_blocks = False
    say_all(world)
    (card,) = world.slack.marked(f"{request.id}:card")
    assert not card.text.blocks
    assert ALICE.name in card.text.text or "needs 1 approval" in card.text.text
