"""Limits: a flood is turned away at admission, and what reaches too far in too short a time needs more people."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.people.identity import Person
from bot.core.policy.calendar_and_limits import RequestLimits
from bot.core.requests import Ask, Change, Outcome, Request, Stage, Verb
from bot.core.systemd.units import UnitName
from bot.errors import HostBusy, UsageError
from bot.ports import Claim
from bot.workflow.engine.life_cycle import life_of_request
from bot.workflow.engine.settle import settle
from bot.workflow.requests.results import Result, Update
from tests.workflow.approval.test_count_votes import is_masked, is_untouched
from tests.workflow.slack import ALICE, BOB, CAROL, INCIDENT
from tests.workflow.waiting import without_hosts
from tests.workflow.world import POLICY, World

MINUTE = timedelta(minutes=1)
WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")
FIVE = RequestLimits(requests_per_minute=5, open_requests=7)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Nobody works on what is asked here: only admission is tested."""
    policy = replace(POLICY, limits=FIVE)
    with without_hosts(tmp_path, inventory=Inventory((WEB,)), policy=policy) as idle:
        yield idle


def asks(
    world: World,
    *,
    by: Person = ALICE,
    verb: Verb = Verb.MASK,
    key: str = "",
    number: int = 0,
    break_glass: bool = False,
) -> str:
    """What they hear if they are turned away."""
    change = Change(verb, "web-01", UnitName(f"unit-{number}.service"))
    ask = Ask(change, by.id, by.name, INCIDENT, "the database of web-01 fills its disk", break_glass=break_glass)
    try:
        world.desk.submit(ask, key=key or secrets.token_hex(8))
    except UsageError as no:
        return str(no)
    return ""


def test_of_fifty_at_once_five_get_in_and_the_others_are_told_so_before_any_host_is_asked(world: World) -> None:
    with ThreadPoolExecutor(16) as people:
        answers = list(people.map(lambda number: asks(world, number=number), range(50)))

    assert answers.count("") == len(world.requests()) == 5
    assert (
        answers.count(
            "You asked 5 times within a minute; the policy allows 5. Nothing was recorded. Ask again in a minute."
        )
        == 45
    )
    refused = [event for event in world.store.chain() if event["type"] == "request.refused"]
    assert [event["data"].get("refusals_so_far", 1) for event in refused] == [1, 1, 1, 1, 1, 10, 20, 40]
    assert {(event["reason_code"], event["outcome"], event["actor"]["user"]) for event in refused} == {
        ("rate_limited", "denied", "UALICE")
    }
    assert world.wire.calls == []


def test_each_person_has_their_own_minute_and_it_passes(world: World) -> None:
    for number in range(5):
        assert asks(world, number=number) == ""
    assert "within a minute" in asks(world)
    assert asks(world, by=BOB) == ""
    world.clock.ahead += MINUTE
    assert asks(world) == ""


def test_what_takes_a_mask_back_has_far_more_room(world: World) -> None:
    for number in range(30):
        assert asks(world, verb=Verb.UNMASK, number=number) == ""
    assert "within a minute" in asks(world)
    assert "recorded up to 30 times" in asks(world, verb=Verb.UNMASK, number=30)
    assert asks(world, by=BOB, verb=Verb.UNMASK) == ""


def test_a_mask_that_there_is_can_be_kept_however_full_it_is(world: World) -> None:
    for number in range(5):
        assert asks(world, number=number) == ""
    change = Change(Verb.MASK, "web-01", UnitName("unit-0.service"))
    kept = world.desk.submit(Ask(change, ALICE.id, ALICE.name, INCIDENT, extends="another"), key="keep")
    assert kept.ask.extends == "another"


def test_a_payload_that_comes_twice_is_the_request_that_it_was(world: World) -> None:
    for number in range(5):
        asks(world, number=number, key=f"key-{number}")
    assert "within a minute" in asks(world, key="key-5")
    assert asks(world, number=4, key="key-4") == ""
    assert len(world.requests()) == 5


def test_no_more_requests_are_open_than_there_is_room_for(world: World) -> None:
    for number, who in enumerate((ALICE, BOB, CAROL, ALICE, BOB, CAROL, ALICE)):
        assert asks(world, by=who, number=number) == ""
    assert "7 requests are already open" in asks(world, by=BOB)
    assert asks(world, by=BOB, verb=Verb.UNMASK) == ""
    assert asks(world, by=BOB, break_glass=True) == ""
    newest, *_ = world.requests()
    world.store.save(newest.move(Stage.WITHDRAWN))
    for oldest in world.requests()[-2:]:
        world.store.save(oldest.move(Stage.WITHDRAWN))
    assert asks(world, by=BOB) == ""


def test_after_ten_minutes_refusals_are_recorded_one_by_one_again(world: World) -> None:
    for number in range(5 + 7):
        asks(world, number=number)
    world.clock.ahead += 10 * MINUTE
    for number in range(2 + 6):  # two more are open then, and there is no room for others
        asks(world, number=20 + number)
    refused = [event["data"] for event in world.store.chain() if event["type"] == "request.refused"]
    assert len(refused) == 5 + 5
    assert not any("refusals_so_far" in data for data in refused)


@pytest.fixture
def working(idle_world: World) -> Iterator[World]:
    """A bot that works."""
    with idle_world.running():
        yield idle_world


@pytest.mark.ssh
class TestOnHosts:
    """How many hosts are reached within ten minutes is known from what really began."""

    ONE_HOST = replace(POLICY, limits=RequestLimits(hosts=1))

    @pytest.mark.parametrize("changed_deps", [{"policy": ONE_HOST}])
    def test_the_second_host_needs_the_most_that_the_policy_asks_for_and_an_undo_nothing(self, working: World) -> None:
        first = working.masked("tuned")
        assert first.target.outcome is Outcome.PROVEN

        second = working.mask("tuned", host="web-02")
        assert second.approval
        assert (second.approval.need, [raised.code for raised in second.approval.raised]) == (2, ["blast_radius"])
        assert "*Limit*  2 hosts within 10 minutes, 1 allowed" in working.card(second)
        tripped = [event for event in working.store.chain() if event["type"] == "blast_radius.exceeded"]
        assert [event["reason_code"] for event in tripped] == ["blast_radius"]
        working.vote(second, by=BOB)
        working.when(second, lambda now: len(now.counted_votes) == 1, "a vote")
        assert is_untouched(working.hosts["web-02"], "tuned.service")

        assert working.undo(first).target.outcome is Outcome.RESTORED
        done = working.approve(second, by=CAROL)
        assert done.target.outcome is Outcome.PROVEN
        assert is_masked(working.hosts["web-02"], "tuned.service")

    @pytest.mark.parametrize("changed_deps", [{"policy": ONE_HOST}])
    @pytest.mark.parametrize("saved_first", [0, 1])
    def test_of_two_that_were_allowed_at_once_the_first_begins_and_the_second_needs_more(
        self, idle_world: World, saved_first: int
    ) -> None:
        with idle_world.running():
            asked = [idle_world.mask("tuned", host=host) for host in ("web-01", "web-02")]
            assert all(one.approval and one.approval.need == 1 for one in asked)
            for one in asked:
                idle_world.card(one)
        for one in asked:
            idle_world.vote(one, by=BOB)
        # The second is checked first: the other is not approved yet then, so it does not count.
        about_to = [about_to_begin(idle_world, one) for one in reversed(asked)][::-1]
        for number in (saved_first, 1 - saved_first):
            with pytest.raises(HostBusy, match="Another mask began") if number else nullcontext():
                settle(idle_world.deps, *about_to[number])
        for claim, _ in about_to:
            idle_world.store.release(claim, due_at=idle_world.clock.now())

        with idle_world.running():
            assert idle_world.until_final(asked[0]).target.outcome is Outcome.PROVEN
            more = idle_world.when(asked[1], _needs_two, "another question")
            assert more.stage is Stage.WAITING
            assert "*Limit*  2 hosts within 10 minutes, 1 allowed" in idle_world.card(more)
        assert is_untouched(idle_world.hosts["web-02"], "tuned.service")

    @pytest.mark.parametrize("changed_deps", [{"policy": ONE_HOST}])
    def test_once_it_is_long_enough_ago_the_usual_number_is_enough(self, working: World) -> None:
        working.masked("tuned")
        second = working.mask("tuned", host="web-02")
        working.vote(second, by=BOB)
        working.when(second, lambda now: len(now.counted_votes) == 1, "a vote")
        working.clock.ahead += 11 * MINUTE
        working.store.wake()
        assert working.until_final(second).target.outcome is Outcome.PROVEN


def about_to_begin(world: World, request: Request) -> tuple[Claim, Result]:
    """A request that has been approved, and is allowed to begin, but is not stored as running yet."""
    claims = list[Claim]()
    while not any(claim.request.id == request.id for claim in claims):
        claim = world.store.claim("bot-1")
        assert claim
        claims.append(claim)
    *others, claim = claims
    for other in others:
        world.store.release(other, due_at=world.clock.now())
    life = life_of_request(world.deps, claim, lambda: False)
    result = next(life)
    while not (isinstance(result, Update) and result.request.stage is Stage.RUNNING):
        result = life.send(settle(world.deps, claim, result))
    return claim, result


def _needs_two(now: Request) -> bool:
    return now.approval is not None and now.approval.need == 2
