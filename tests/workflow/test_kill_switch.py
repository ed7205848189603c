"""While new masks are stopped nothing new is approved or begun, and everything that undoes a mask goes on."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.input.grammar import Question, QuestionKind
from bot.core.kill_switch import OFF_REQUEST_GOOD_FOR
from bot.core.people.identity import Person, Place
from bot.core.requests import Outcome, Request, Stage, Tally, Verdict
from bot.errors import NotYet
from bot.ports import Periodic
from bot.workflow.requests.kill_switch_state import NAME
from tests.workflow.approval.test_count_votes import is_masked, is_untouched, just_before_acting
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, EVE, INCIDENT, caller
from tests.workflow.waiting import waits, without_hosts
from tests.workflow.world import POLICY, World

MINUTE = timedelta(minutes=1)
WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")
SHELL = Place("shell", name="the command line")


def ask_for(world: World, *, by: Person, turns_off: bool = False, reason: str = "", place: Place = INCIDENT) -> str:
    """Somebody says so; what became of it, once something has."""
    key = secrets.token_hex(8)
    world.desk.kill_switch.request(caller(by, key, place=place), turns_off=turns_off, reason=reason)
    world.until(lambda: world.desk.kill_switch.result(key) is not None, f"an answer to {by.name}")
    answer = world.desk.kill_switch.result(key)
    assert answer
    return answer.text


def freeze(world: World, *, by: Person = BOB) -> str:
    return ask_for(world, by=by, reason="it masks the wrong hosts")


def thaw(world: World, *, by: Person, reason: str = "") -> str:
    return ask_for(world, by=by, turns_off=True, reason=reason)


def is_on(world: World) -> bool:
    return world.desk.kill_switch.state.kill_switch is not None


def announced(world: World, part: str, *, times: int) -> list[str]:
    """The channels in which these words were said, once they were said so often."""

    def found() -> list[str]:
        said = list(world.slack.messages.values())
        return [one.channel for one in said if one.mark.startswith("announcement:") and part in one.text.text]

    world.until(lambda: len(found()) >= times, f"`{part}` being announced")
    return sorted(found())


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[World]:
    """Nobody goes to any host here."""
    policy = replace(POLICY, operations_channel="COPS")
    with without_hosts(tmp_path, inventory=Inventory((WEB,)), policy=policy) as world:
        yield world


@pytest.fixture
def world(idle: World) -> Iterator[World]:
    with idle.running():
        yield idle


def test_one_stops_new_masks_and_everybody_is_told_where_it_was_said_and_in_operations(world: World) -> None:
    assert freeze(world).startswith("KILL SWITCH ON, by bob: it masks the wrong hosts.")
    assert is_on(world)
    assert announced(world, "KILL SWITCH ON, by bob", times=2) == ["C1", "COPS"]


def test_what_is_said_in_the_operations_channel_is_said_there_once(world: World) -> None:
    ask_for(world, by=BOB, reason="x", place=Place("COPS", name="inc-ops"))
    assert announced(world, "KILL SWITCH ON", times=1) == ["COPS"]


@pytest.mark.parametrize(
    ("who", "no"),
    [
        (ALICE, "Only people who may approve something can use the kill switch. @sre"),
        (DAVE, "Only people who may"),
        (EVE, "You are a guest here"),
    ],
)
def test_it_is_for_those_who_may_approve_something_and_others_are_told_alone(
    world: World, who: Person, no: str
) -> None:
    assert no in freeze(world, by=who)
    assert no in world.ephemeral(who, no)
    assert not is_on(world)


def test_who_cannot_be_verified_stops_nothing(world: World) -> None:
    world.people.silent.add(BOB.id)
    assert "did not say who that is" in freeze(world)
    assert not is_on(world)


def test_one_person_twice_does_not_lift_it_and_two_do(world: World) -> None:
    freeze(world)
    assert "One more approver" in thaw(world, by=CAROL)
    assert "You already asked for that." in thaw(world, by=CAROL)
    assert is_on(world)
    assert "KILL SWITCH OFF, by carol and bob" in thaw(world, by=BOB)
    assert not is_on(world)
    assert announced(world, "KILL SWITCH OFF", times=2) == ["C1", "COPS"]


def test_who_left_the_approvers_meanwhile_does_not_count(world: World) -> None:
    freeze(world)
    thaw(world, by=CAROL)
    world.people.groups["sre"].discard(CAROL.id)
    assert "One more approver" in thaw(world, by=BOB)
    assert is_on(world)


def test_what_was_said_hours_ago_does_not_count(world: World) -> None:
    freeze(world)
    thaw(world, by=CAROL)
    world.clock.ahead += OFF_REQUEST_GOOD_FOR + MINUTE
    assert "One more approver" in thaw(world, by=BOB)
    assert is_on(world)


def test_a_new_request_is_refused_with_the_reason_and_by_whom(world: World) -> None:
    freeze(world)
    asked = world.until_final(world.ask_mask("cron"))
    assert asked.stage is Stage.REFUSED
    assert " by bob: it masks the wrong hosts." in world.ephemeral(ALICE, "The kill switch has been on since")
    assert world.wire.calls == []


def test_what_waits_says_so_on_its_card_cannot_be_approved_and_may_be_denied(world: World) -> None:
    asked = waits(world, within=60 * MINUTE)
    asked = world.store.save(asked.on_target(digest="0123456789abcdef"))
    freeze(world)
    world.until(lambda: "*Kill switch*  on, by bob" in world.card(asked), "a card that says so")

    world.vote(asked, by=CAROL)
    assert "The kill switch has been on since" in world.ephemeral(CAROL, "The kill switch has been on")
    now = world.store.get(asked.id)
    assert (now.stage, [vote.tally for vote in now.votes]) == (Stage.WAITING, [Tally.REFUSED])

    world.vote(asked, Verdict.DENY, by=BOB)
    assert world.until_final(asked).stage is Stage.DENIED


def test_once_new_masks_go_on_the_card_forgets_it(world: World) -> None:
    asked = waits(world, within=60 * MINUTE)
    freeze(world)
    world.until(lambda: "*Kill switch*" in world.card(asked), "a card that says so")
    thaw(world, by=CAROL)
    thaw(world, by=BOB)
    world.until(lambda: "*Kill switch*" not in world.card(asked), "a card without it")


def test_a_restart_forgets_nothing(idle: World) -> None:
    with idle.running():
        freeze(idle)
        thaw(idle, by=CAROL)
    with idle.running():
        assert is_on(idle)
        assert "KILL SWITCH OFF" in thaw(idle, by=BOB)


def test_what_is_wished_while_no_bot_runs_is_done_when_one_does(idle: World) -> None:
    for number in range(2):
        idle.desk.kill_switch.request(caller(BOB, f"shell:{number}", place=SHELL), turns_off=bool(number), reason="x")
    assert not is_on(idle)
    with idle.running():
        idle.until(lambda: idle.desk.kill_switch.result("shell:1") is not None, "both answers")
    assert is_on(idle)
    assert [event["type"] for event in idle.store.chain()] == [
        "kill_switch.requested",
        "kill_switch.requested",
        "kill_switch.on",
        "kill_switch.off_requested",
    ]


def test_before_slack_is_reached_a_wish_waits(idle: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def not_yet(*_: object) -> Person:
        tries.append(1)
        if len(tries) < 3:
            raise NotYet("Slack has not been reached yet.", again_in=0.05)
        return replace(BOB, groups=frozenset({"sre"}))

    monkeypatch.setattr(idle.people, "person", not_yet)
    with idle.running():
        assert freeze(idle).startswith("KILL SWITCH ON")


def test_a_row_that_nobody_asked_for_is_left_alone(idle: World) -> None:
    idle.store.save_periodic(Periodic(NAME, due_at=idle.clock.now()))
    with idle.running():
        idle.until(lambda: (idle.store.get_periodic(NAME) or Periodic(NAME)).due_at is None, "a look at it")
    assert not is_on(idle)


def test_the_answers_to_questions_say_so(world: World) -> None:
    freeze(world)
    for question in (Question(QuestionKind.LIST), Question(QuestionKind.STATUS, "web-01")):
        world.desk.answer(question, caller(ALICE))
        assert "KILL SWITCH ON, by <@UBOB>" in world.ephemeral(ALICE, "KILL SWITCH ON")
        world.slack.whispers.clear()


@pytest.mark.ssh
class TestOnHosts:
    """What really runs, and what does not."""

    def test_between_approval_and_begin_it_holds_and_goes_on_with_its_approval_after_the_thaw(
        self, idle_world: World
    ) -> None:
        world, host = idle_world, idle_world.hosts["web-01"]
        with world.running():
            asked = world.mask("tuned")
            with just_before_acting(world, "tuned.service", lambda: freeze(world, by=CAROL)):
                world.vote(asked, by=BOB)
                held = world.when(asked, lambda now: now.kill_switch is not None, "being held")
            assert held.stage is Stage.APPROVED
            world.until(lambda: "*Kill switch*  on, by carol" in world.card(held), "a card that says so")
            assert is_untouched(host, "tuned.service")

            thaw(world, by=CAROL)
            thaw(world, by=BOB)
            assert world.until_final(asked).target.outcome is Outcome.PROVEN
            assert is_masked(host, "tuned.service")

    def test_an_approval_that_ran_out_meanwhile_is_not_used(self, idle_world: World) -> None:
        world, host = idle_world, idle_world.hosts["web-01"]
        with world.running():
            asked = world.mask("tuned")
            with just_before_acting(world, "tuned.service", lambda: freeze(world, by=CAROL)):
                world.vote(asked, by=BOB)
                world.when(asked, lambda now: now.kill_switch is not None, "being held")
            world.clock.ahead += 11 * MINUTE
            assert world.until_final(asked).stage is Stage.TIMED_OUT
            assert is_untouched(host, "tuned.service")

    def test_what_runs_is_finished_and_an_undo_goes_on(self, idle_world: World) -> None:
        world, host = idle_world, idle_world.hosts["web-01"]
        with world.running():
            asked = world.mask("slowstop")
            world.vote(asked, by=BOB)
            world.when(asked, _is_running, "a beginning")
            freeze(world, by=CAROL)
            done = world.until_final(asked)
            assert done.target.outcome is Outcome.PROVEN
            assert is_masked(host, "slowstop.service")

            assert world.undo(done).target.outcome is Outcome.RESTORED
            assert is_untouched(host, "slowstop.service")


def _is_running(request: Request) -> bool:
    return request.stage is Stage.RUNNING
