"""Who may say yes, how often it counts, and what voids it: each time the host shows whether anything was done."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bot.core.requests import FollowupKind, Outcome, Stage, Tally, Verdict
from bot.errors import UsageError
from bot.workflow.engine.workers import advance
from tests.workflow.fleet import AnyHost
from tests.workflow.hands import edit
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, EVE
from tests.workflow.wire import LOOK, Call
from tests.workflow.world import World


def is_untouched(host: AnyHost, unit: str) -> bool:
    return host.show(unit, "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "active"}


def is_masked(host: AnyHost, unit: str) -> bool:
    return host.show(unit, "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}


@contextmanager
def just_before_acting(world: World, unit: str, happens: Callable[[], object]) -> Iterator[None]:
    """Something happens after the votes, right before the look that everything is decided by."""
    once = [happens]

    def interfere(call: Call) -> None:
        if LOOK in call.argv and call.unit == unit and once:
            once.pop()()

    world.wire.before.append(interfere)
    yield
    world.wire.before.remove(interfere)
    assert not once


@pytest.mark.fault("F65", how="the requester approves")
def test_the_requester_a_bystander_and_a_guest_do_not_count(shared_world: World, saw: Callable[[str], str]) -> None:
    asked = shared_world.mask("tuned")
    for who, answer in ((ALICE, "You asked for this"), (DAVE, "You may not approve or deny"), (EVE, "You are a guest")):
        shared_world.vote(asked, by=who)
        assert answer in saw(shared_world.ephemeral(who, answer))
    assert shared_world.store.get(asked.id).stage is Stage.WAITING

    shared_world.vote(asked, Verdict.DENY, by=CAROL)
    assert shared_world.until_final(asked).stage is Stage.DENIED
    assert "[" not in shared_world.card(asked).replace("[Details]", "")
    assert is_untouched(shared_world.hosts["web-01"], "tuned.service")


def test_whoever_may_not_approve_fills_no_audit_log_by_trying_again_and_again(idle_world: World) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("tuned")
        for _ in range(6):
            world.vote(asked, by=DAVE)
            world.until(lambda: world.store.get(asked.id).votes[0].tally is Tally.REFUSED, "an answer")
        for wants_again in (
            lambda: world.vote(asked, by=DAVE),
            lambda: world.follow_up(asked, FollowupKind.ASK_FOR_MORE, by=DAVE, text="why?"),
        ):
            with pytest.raises(UsageError, match="within a minute"):
                wants_again()
        world.vote(asked, Verdict.DENY, by=CAROL)
        assert world.until_final(asked).stage is Stage.DENIED


@pytest.mark.fault("F63", how="two approvers press at once")
def test_two_clicks_at_once_are_one_execution(shared_world: World) -> None:
    world = shared_world
    pairs = [("restless", "web-01"), ("restless", "web-02"), ("template@1", "web-02"), ("generated", "db-01")]
    asked = [world.mask(unit, host=host) for unit, host in pairs]
    for request in asked:
        _at_once(*(lambda who=who, request=request: world.vote(request, by=who) for who in (BOB, CAROL)))
    for request in asked:
        done = world.until_final(request)
        assert done.target.outcome is Outcome.PROVEN
        assert len(done.counted_votes) == 1
        name, unit = done.target.host, done.target.unit.text
        assert [call.verb for call in world.wire.calls if (call.host, call.unit) == (name, unit)].count("mask") == 1
        assert world.card(done).startswith("MASKED AND PROVEN")


def _at_once(*presses: Callable[[], None]) -> None:
    """All press at the same moment; who is too late is told so at once."""
    gate = threading.Barrier(len(presses))

    def press(one: Callable[[], None]) -> None:
        gate.wait()
        try:
            one()
        except UsageError as too_late:
            assert "Too late" in str(too_late)

    threads = [threading.Thread(target=press, args=(one,)) for one in presses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("first", [Verdict.DENY, Verdict.APPROVE])
@pytest.mark.fault("F66", how="one denies and another approves, recorded before either is counted")
def test_of_a_yes_and_a_no_the_one_that_was_there_first_holds(
    idle_world: World, first: Verdict, saw: Callable[[str], str]
) -> None:
    world, host = idle_world, idle_world.hosts["web-01"]
    with world.running():
        asked = world.mask("tuned")
        world.card(asked)
    second = Verdict.APPROVE if first is Verdict.DENY else Verdict.DENY
    world.vote(asked, first, by=BOB)
    world.vote(asked, second, by=CAROL)
    with world.running():
        ended = world.until_final(asked)
        saw(world.ephemeral(CAROL, "Too late"))
        assert "[Approve]" not in world.card(asked)
    denied = first is Verdict.DENY
    assert (ended.stage, ended.target.outcome) == ((Stage.DENIED, None) if denied else (Stage.DONE, Outcome.PROVEN))
    assert (is_untouched if denied else is_masked)(host, "tuned.service")
    assert [vote.tally for vote in world.store.get(asked.id).votes] == [Tally.COUNTED, Tally.REFUSED]


@pytest.mark.fault("F66", how="one denies and another approves, at the same moment")
def test_a_yes_and_a_no_at_once_are_one_decision(shared_world: World) -> None:
    world, host = shared_world, shared_world.hosts["db-01"]
    asked = world.mask("watched.path", host="db-01")
    _at_once(
        lambda: world.vote(asked, Verdict.APPROVE, by=BOB),
        lambda: world.vote(asked, Verdict.DENY, by=CAROL),
    )
    ended = world.until_final(asked)
    assert ended.stage in (Stage.DENIED, Stage.DONE)
    assert (is_untouched if ended.stage is Stage.DENIED else is_masked)(host, "watched.path")
    world.card(asked)


def test_only_the_requester_withdraws(shared_world: World) -> None:
    asked = shared_world.mask("tuned")
    with pytest.raises(UsageError, match="Only alice"):
        shared_world.desk.withdraw(asked.id, by=BOB.id)
    shared_world.desk.withdraw(asked.id, by=ALICE.id)
    assert shared_world.until_final(asked).stage is Stage.WITHDRAWN
    assert is_untouched(shared_world.hosts["web-01"], "tuned.service")


@pytest.mark.fault("F74", how="a second request for the same unit")
def test_a_second_request_for_a_unit_waits_for_the_end_of_the_first(shared_world: World) -> None:
    first = shared_world.mask("tuned")
    second = shared_world.mask("tuned", by=BOB)
    assert second.stage is Stage.REFUSED
    assert "alice already asked for" in shared_world.ephemeral(BOB, "alice already asked for")
    shared_world.vote(first, Verdict.DENY)
    assert shared_world.until_final(first).stage is Stage.DENIED


def test_of_two_who_ask_at_once_for_one_unit_the_first_goes_on(shared_world: World) -> None:
    asked = [shared_world.ask_mask("tuned", by=who) for who in (ALICE, BOB, CAROL)]
    first, *others = [shared_world.until_answered(request) for request in asked]
    assert first.stage is Stage.WAITING
    assert {other.stage for other in others} == {Stage.REFUSED}
    shared_world.desk.withdraw(first.id, by=ALICE.id)


@pytest.mark.fault("F67", how="the clock set past the time to approve")
def test_a_vote_after_the_time_to_decide_is_refused_by_the_vote_itself(idle_world: World) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("tuned")
        world.card(asked)
    world.clock.ahead = timedelta(minutes=16)
    world.vote(asked)
    claim = world.store.claim("bot-1")
    assert claim is not None
    late = advance(world.deps, claim)
    assert late.stage is Stage.TIMED_OUT
    assert [vote.tally for vote in late.votes] == [Tally.REFUSED]
    with world.running():
        assert world.card(late).startswith("TIMED OUT")
        assert world.ephemeral(BOB, late.votes[0].reason)
    assert is_untouched(world.hosts["web-01"], "tuned.service")


@pytest.mark.fault("F68", how="the unit file edited on the host in between")
def test_a_unit_that_was_edited_after_the_approval_is_asked_anew_with_the_difference(
    shared_world: World, saw: Callable[[str], str]
) -> None:
    host = shared_world.hosts["web-02"]
    asked = shared_world.mask("watched.path", host="web-02")

    def edited() -> None:
        edit(host, "/lib/systemd/system/watched.path")

    with just_before_acting(shared_world, "watched.path", edited):
        shared_world.vote(asked)
        anew = shared_world.when(asked, lambda now: bool(now.changed_since), "a second question")
    assert anew.stage is Stage.WAITING
    assert "its unit file" in anew.changed_since[0]
    assert anew.changed_since[0] in shared_world.card(anew)
    saw(anew.changed_since[0])
    assert is_untouched(host, "watched.path")

    done = shared_world.approve(anew)
    assert done.target.outcome is Outcome.PROVEN
    assert is_masked(host, "watched.path")


@pytest.mark.fault("F70", how="the approver removed from the group after the approval")
def test_an_approver_who_lost_the_right_before_it_ran_does_not_count(
    shared_world: World, saw: Callable[[str], str]
) -> None:
    host, sre = shared_world.hosts["db-01"], shared_world.people.groups["sre"]
    asked = shared_world.mask("tuned", host="db-01")
    with just_before_acting(shared_world, "tuned.service", lambda: sre.discard(BOB.id)):
        shared_world.vote(asked)
        anew = shared_world.when(asked, lambda now: bool(now.changed_since), "a second question")
    assert anew.stage is Stage.WAITING
    assert "who may approve" in saw(anew.changed_since[0])
    assert anew.changed_since[0] in shared_world.card(anew)
    assert is_untouched(host, "tuned.service")
    sre.add(BOB.id)
    shared_world.vote(anew, Verdict.DENY, by=CAROL)
    assert shared_world.until_final(anew).stage is Stage.DENIED


@pytest.mark.fault("F71", how="the requester removed from the group after the approval")
def test_a_requester_who_lost_the_right_before_it_ran_is_told_so(
    shared_world: World, saw: Callable[[str], str]
) -> None:
    host, eng = shared_world.hosts["db-01"], shared_world.people.groups["eng"]
    asked = shared_world.mask("tuned", host="db-01")
    with just_before_acting(shared_world, "tuned.service", lambda: eng.discard(ALICE.id)):
        shared_world.vote(asked)
        ended = shared_world.until_final(asked)
    eng.add(ALICE.id)
    assert ended.stage is Stage.REFUSED
    assert "may not ask" in shared_world.card(ended)
    saw(ended.because)
    assert is_untouched(host, "tuned.service")


def test_one_change_at_a_time_on_a_host(shared_world: World) -> None:
    world = shared_world
    before = len(world.wire.calls)
    asked = [world.mask(unit, host="db-01") for unit in ("slowstop", "watchdog")]
    for request in asked:
        world.vote(request)
    done = [world.until_final(request) for request in asked]
    assert {each.target.outcome for each in done} == {Outcome.PROVEN}
    calls = (call for call in world.wire.calls[before:] if call.verb and call.host == "db-01")
    units = [call.unit for call in calls if call.unit]
    assert units in (sorted(units), sorted(units, reverse=True))


def test_six_seconds_of_stopping_are_shown_as_they_pass(shared_world: World) -> None:
    done = next(each for each in shared_world.requests() if each.target.unit.text == "slowstop.service")
    (card,) = shared_world.slack.marked(f"{done.id}:card")
    assert card.edits >= 4
