"""Words of cards that hold only if what led to them is known, such as who approved; and who reads a plan."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.cards import render
from bot.core.hosts.inventory import Host, Inventory
from bot.core.input.grammar import Question, QuestionKind
from bot.core.requests import Outcome, Stage, Tally, Verdict, Vote
from bot.core.systemd.units import UnitName
from bot.errors import HostBusy
from bot.ports import Claim
from bot.workflow.engine.workers import advance
from tests.edges.asked import a_request
from tests.workflow.slack import ALICE, CAROL, DAVE, caller, words
from tests.workflow.waiting import waits, without_hosts
from tests.workflow.world import World


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[World]:
    """A bot that does only what a test tells it to."""
    host = Host("web-01", "127.0.0.1", 22, "maskbot", "prod")
    with without_hosts(tmp_path, inventory=Inventory((host,))) as one:
        yield one


def test_what_carol_approved_and_somebody_did_first_still_names_her(world: World) -> None:
    asked = world.mask("tuned")
    world.hosts["web-01"].run("systemctl", "mask", "--now", "tuned.service")
    done = world.approve(asked, by=CAROL)
    assert done.target.outcome is Outcome.NO_CHANGE
    card = world.card(done)
    assert f"approved by <@{CAROL.id.user}>" in card
    assert "no approval was needed" not in card


def test_a_plan_of_whoever_could_not_ask_for_it_is_for_them_alone(world: World) -> None:
    question = Question(QuestionKind.PLAN, "web-01", UnitName("tuned.service"))
    for who in (DAVE, ALICE):
        world.desk.answer(question, caller(who))
        if who is DAVE:
            assert "tuned.service" in world.ephemeral(DAVE, "PLAN")
    world.until(lambda: bool(plans(world)), "alice's plan")
    (plan,) = plans(world)
    assert (f"<@{ALICE.id.user}>" in plan, f"<@{DAVE.id.user}>" in plan) == (True, False)
    assert world.requests() == []


def plans(world: World) -> list[str]:
    """The plans that everybody reads."""
    return [words(one.text) for one in list(world.slack.messages.values()) if one.mark.startswith("plan")]


def claimed(world: World) -> Claim:
    claim = world.store.claim("bot-1")
    assert claim is not None
    return claim


def test_a_change_that_hangs_is_named_on_the_card_of_what_waits_behind_it(idle: World) -> None:
    world = idle
    first, _ = world.store.add(a_request(7, unit=UnitName("stuck.service")), events=[])
    now = world.clock.now()
    world.store.save(world.store.save(first.move(Stage.APPROVED)).move(Stage.RUNNING, begun_at=now))
    second = waits(world)
    vote = Vote(CAROL.id, "carol", Verdict.APPROVE, now, second.target.digest, Tally.COUNTED)
    good = now + timedelta(minutes=10)
    waiting = replace(second, votes=(vote,))
    approved = world.store.save(waiting.move(Stage.APPROVED, approved_at=now, act_by=good, due_at=now))

    for seconds, is_named in ((0, False), (60, True)):
        world.clock.ahead += timedelta(seconds=seconds)
        while (claim := claimed(world)).request.id != approved.id:
            pass
        with pytest.raises(HostBusy):
            advance(world.deps, claim)
        card = words(render(world.store.get(approved.id), now=world.clock.now()))
        assert "Next*  starts once web-01 answers and no other change runs there" in card
        said = f"alice's `{first.ask.change}` has been running there since {now:%H:%M} UTC (1 minute)."
        assert (said in card) == is_named
        world.store.release(claim, due_at=world.clock.now())
