"""A mask that waits for a slow stop: ended by force as people approve it, withdrawn by an unmask, and what is said."""

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest
from structlog.contextvars import get_contextvars

from bot.core.input.grammar import Question, QuestionKind
from bot.core.people.identity import Person
from bot.core.requests import Ask, Change, Outcome, Request, Stage, Tally, Verb
from bot.core.steps import StepLimits
from bot.core.systemd.units import UnitName
from bot.errors import UsageError
from tests.workflow.conftest import Opening
from tests.workflow.fleet import AnyHost
from tests.workflow.slack import ALICE, BOB, CAROL, INCIDENT, caller, words
from tests.workflow.wire import Call
from tests.workflow.world import QUICK, World

# It ignores SIGTERM and sets itself no limit: it stops until somebody kills it.
DEAF = """[Unit]
Description=Lab unit that never stops

[Service]
ExecStart=/bin/sh -c 'trap "" TERM; exec sleep infinity'
TimeoutStopSec=infinity
"""
OVER = "Its stop had ended by itself. Nothing was killed."


@pytest.fixture(scope="module")
def slow_world(open_world: Opening) -> Iterator[World]:
    """A running bot to which everything is slow that takes a moment."""
    timings = replace(QUICK, slow_first=0.2, slow_longest=0.4)
    with open_world(limits=StepLimits(patience=0.2), timings=timings) as one:
        yield one


def stopping_mask(world: World, unit: str, host: str = "web-01") -> Request:
    """A mask that was approved and waits for its unit to stop."""
    one = world.hosts[host]
    one.write(f"/lib/systemd/system/{unit}.service", DEAF)
    one.run("ln", "-s", f"{unit}.service", f"/lib/systemd/system/{unit}-too.service")
    one.run("systemctl", "daemon-reload")
    one.run("systemctl", "start", unit)
    asked = world.mask(unit, host=host)
    world.vote(asked)
    return world.when(asked, lambda now: now.can_be_forced, "a slow stop")


def last_card(world: World, request: Request) -> str:
    """The card as it was drawn last; while the unit is slow it is another one with every second."""
    found = world.slack.marked(f"{request.id}:card")
    return words(found[0].text) if found else ""


def force(world: World, mask: Request, *, by: Person = ALICE) -> Request:
    """Press Stop by force, and return when it waits for votes or is over."""
    key = secrets.token_hex(8)
    asked = world.desk.slow_stops.force(mask.id, caller(by, key))
    return world.until_answered(asked)


def kills(world: World, unit: str) -> int:
    return sum(call.verb == "kill" and call.unit == f"{unit}.service" for call in world.wire.calls)


def state(host: AnyHost, unit: str) -> dict[str, str]:
    return host.show(f"{unit}.service", "LoadState", "ActiveState")


def end_by_itself(host: AnyHost, unit: str) -> None:
    """Its processes end, and no bot had to do with it."""
    host.run("systemctl", "kill", "--signal=KILL", f"{unit}.service")


def test_it_is_asked_for_approved_and_done_and_the_mask_goes_on_to_its_proof(slow_world: World) -> None:
    world, host = slow_world, slow_world.hosts["web-01"]
    mask = stopping_mask(world, "deaf-one")
    offered = "request a stop by force (SIGKILL, needs its own approval)"
    world.until(lambda: offered in last_card(world, mask), "a card that offers it")
    asked = force(world, mask)
    assert asked.stage is Stage.WAITING
    card = world.card(asked)
    assert card.startswith("STOP BY FORCE deaf-one.service on web-01 · needs 1 approval")
    assert "unwritten data: its own stop is cut off" in card
    assert force(world, mask).stage is Stage.REFUSED  # the first has to end before
    world.vote(asked, by=ALICE)
    world.when(asked, lambda now: any(vote.tally is Tally.REFUSED for vote in now.votes), "no to its requester")
    assert kills(world, "deaf-one") == 0

    done = world.approve(asked)
    assert done.target.outcome is Outcome.KILLED
    assert world.card(done).startswith("STOPPED BY FORCE")
    assert [sent.step for sent in done.target.sent] == ["kill"]
    masked = world.until_final(mask)
    assert masked.target.outcome is Outcome.PROVEN
    assert "by force, approved by bob" in world.card(masked)
    assert kills(world, "deaf-one") == 1
    assert state(host, "deaf-one") == {"LoadState": "masked", "ActiveState": "failed"}
    assert [r["data"]["by"] for r in world.store.records() if r["type"] == "mask.stop_forced"] == [done.id]
    assert world.undo(masked).target.outcome is Outcome.RESTORED
    assert state(host, "deaf-one") == {"LoadState": "loaded", "ActiveState": "active"}


def test_a_stop_that_ends_by_itself_while_people_think_is_not_killed(slow_world: World) -> None:
    world, host = slow_world, slow_world.hosts["web-02"]
    mask = stopping_mask(world, "deaf-two", host="web-02")
    asked = force(world, mask)
    end_by_itself(host, "deaf-two")
    done = world.until_final(mask)
    assert done.target.outcome is Outcome.PROVEN
    assert "force" not in world.card(done)
    over = world.until_final(asked)
    assert (over.stage, over.because) == (Stage.CANCELLED, OVER)
    assert OVER in world.card(over)
    assert kills(world, "deaf-two") == 0
    with pytest.raises(UsageError, match="There is no stop to force"):
        force(world, mask)


def test_a_stop_that_ends_by_itself_right_before_the_kill_is_not_killed_either(slow_world: World) -> None:
    world, host = slow_world, slow_world.hosts["db-01"]
    mask = stopping_mask(world, "deaf-three", host="db-01")
    asked = force(world, mask)
    once = [lambda: end_by_itself(host, "deaf-three")]

    def interfere(call: Call) -> None:
        """Before the look that decides; those of the mask itself are short ones."""
        if call.unit == "deaf-three.service" and "acting" in call.argv and once:
            once.pop()()

    world.wire.before.append(interfere)
    done = world.approve(asked)
    world.wire.before.remove(interfere)
    assert not once
    assert (done.stage, done.target.outcome, done.target.note) == (Stage.DONE, Outcome.NO_CHANGE, OVER)
    assert OVER in world.card(done)
    assert "force" not in world.card(world.until_final(mask))
    assert kills(world, "deaf-three") == 0


def test_a_mask_that_is_withdrawn_takes_the_kill_with_it(slow_world: World) -> None:
    world, host = slow_world, slow_world.hosts["web-01"]
    mask = stopping_mask(world, "deaf-four")
    asked = force(world, mask, by=CAROL)
    world.desk.withdraw(mask.id, by=ALICE.id)
    over = world.until_final(asked)
    assert (over.stage, over.because) == (
        Stage.CANCELLED,
        "The mask that waited for it was withdrawn. Nothing was killed.",
    )
    with pytest.raises(UsageError, match="There is no stop to force"):
        force(world, mask)
    end_by_itself(host, "deaf-four")
    assert world.until_final(mask).target.outcome is Outcome.CALLED_OFF
    assert kills(world, "deaf-four") == 0


def test_a_mask_that_is_withdrawn_right_before_the_kill_keeps_it_from_being_sent(slow_world: World) -> None:
    world, host = slow_world, slow_world.hosts["web-02"]
    mask = stopping_mask(world, "deaf-eight", host="web-02")
    asked = force(world, mask)
    decided: list[Call] = []
    once = [lambda: world.desk.withdraw(mask.id, by=ALICE.id)]

    def interfere(call: Call) -> None:
        """After everything was decided, at its next look: the one right before the kill. The mask looks as well."""
        if get_contextvars().get("request") != asked.id:
            return
        if "acting" in call.argv:
            decided.append(call)
        elif decided and once and world.store.get(asked.id).stage is Stage.RUNNING:
            once.pop()()

    world.wire.before.append(interfere)
    done = world.approve(asked)
    world.wire.before.remove(interfere)
    assert not once
    assert (done.target.outcome, "was withdrawn. Nothing was killed." in world.card(done)) == (Outcome.NO_CHANGE, True)
    assert kills(world, "deaf-eight") == 0
    end_by_itself(host, "deaf-eight")
    assert world.until_final(mask).target.outcome is Outcome.CALLED_OFF


def test_it_can_be_said_in_words_by_any_name_of_the_unit(slow_world: World) -> None:
    world = slow_world
    mask = stopping_mask(world, "deaf-five")
    asked = world.mask("deaf-five-too", force=True)
    assert (asked.stage, asked.ask.forces, str(asked.target.unit)) == (Stage.WAITING, mask.id, "deaf-five.service")
    assert world.approve(asked).target.outcome is Outcome.KILLED
    assert world.until_final(mask).target.outcome is Outcome.PROVEN
    with pytest.raises(UsageError, match="no mask of ours waits for deaf-five.service on web-01"):
        world.mask("deaf-five", force=True)


@pytest.mark.parametrize("name", ["deaf-six", "deaf-six-too"])
def test_an_unmask_of_what_is_still_stopping_withdraws_its_mask(slow_world: World, name: str) -> None:
    world, host = slow_world, slow_world.hosts["web-02"]
    mask = stopping_mask(world, "deaf-six", host="web-02")
    change = Change(Verb.UNMASK, "web-02", UnitName.parse(name))
    with pytest.raises(UsageError, match=r"is not masked yet: its mask waits for the unit to stop. Only alice"):
        world.desk.slow_stops.withdraw_instead(change, by=BOB.id)
    assert world.store.get(mask.id).target.called_off is None
    for _ in range(2):  # a second delivery says the same
        withdrawn = world.desk.slow_stops.withdraw_instead(change, by=ALICE.id)
        assert withdrawn
        assert withdrawn.id == mask.id
    end_by_itself(host, "deaf-six")
    assert world.until_final(mask).target.outcome is Outcome.CALLED_OFF
    assert state(host, "deaf-six") == {"LoadState": "loaded", "ActiveState": "active"}
    assert world.desk.slow_stops.withdraw_instead(change, by=ALICE.id) is None
    host.run("systemctl", "stop", "deaf-six")
    end_by_itself(host, "deaf-six")


def test_whoever_asks_hears_that_the_mask_waits(slow_world: World) -> None:
    world, host = slow_world, slow_world.hosts["web-01"]
    mask = stopping_mask(world, "deaf-seven")
    unit = UnitName("deaf-seven.service")
    asked = Change(Verb.MASK, "web-01", unit)
    waits = "not masked yet (asked by alice): stopping for"
    for question in (
        Question(QuestionKind.STATUS, "web-01", unit),
        Question(QuestionKind.WHY, "web-01", unit, asked),
        Question(QuestionKind.LIST, "web-01"),
        Question(QuestionKind.HANDOVER),
    ):
        world.slack.whispers.clear()
        world.desk.answer(question, caller(ALICE))
        assert "processes to exit after SIGTERM (stop-sigterm)" in world.ephemeral(ALICE, waits)
    world.slack.whispers.clear()
    by_force = Question(QuestionKind.WHY, "web-01", unit, Change(Verb.MASK, "web-01", unit, force=True))
    world.desk.answer(by_force, caller(ALICE))
    assert "needs 1 of @sre" in world.ephemeral(ALICE, "WHY · stop by force deaf-seven.service")
    end_by_itself(host, "deaf-seven")
    world.until_final(mask)


def test_a_force_for_a_mask_that_does_not_exist_is_refused_and_kills_nothing(slow_world: World) -> None:
    world = slow_world
    mask = world.masked("cron", host="db-01")
    change = Change(Verb.MASK, "db-01", UnitName("cron.service"), force=True)
    asked = world.desk.submit(Ask(change, ALICE.id, "alice", INCIDENT, forces=mask.id), key="forged")
    ended = world.until_answered(asked)
    assert (ended.stage, ended.because) == (Stage.REFUSED, OVER)
    assert kills(world, "cron") == 0
