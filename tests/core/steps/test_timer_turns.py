"""The next turns of timers after an undo: the same by value, or said in words."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.steps.timer_turns import turns_anew, turns_moved
from bot.core.systemd.output import read_turn
from bot.core.systemd.side_effects import Habits, NextTurn
from bot.core.systemd.units import ActiveState, Neighbour, Snapshot
from tests.core.situations import neighbour, snapshot

THEN, NEXT = "Wed 2027-02-03 04:05:00 UTC", "Thu 2027-02-04 04:05:00 UTC"
EARLY, LATE = datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 2, 3, 5, tzinfo=UTC)
SECOND = 10**6


def timer(turn: NextTurn, *, uptime: int = 0, boot: str = "b00t", **changed: Any) -> Snapshot:
    return snapshot("a.timer", habits=Habits(next_turn=turn), uptime=uptime, boot_id=boot, **changed)


def beside(turn: NextTurn, **changed: object) -> Neighbour:
    return replace(neighbour("b.timer"), next_turn=turn, **changed)  # type: ignore[arg-type]


def said(before: Snapshot, now: Snapshot, at: datetime = EARLY) -> tuple[list[str], list[str]]:
    return [*turns_moved(before, now, at)], [*turns_anew(before, now, at)]


def test_the_same_turn_is_as_before() -> None:
    for turn in (NextTurn(), NextTurn(at=THEN), NextTurn(after_boot=60 * SECOND)):
        assert said(timer(turn), timer(turn)) == ([], [])
    for had, has in ((NextTurn(), NextTurn(at=THEN)), (NextTurn(after_boot=5), NextTurn())):
        assert said(timer(had), timer(has)) == ([], [])  # that there is none any more is said elsewhere


def test_a_moment_that_moved_without_a_cause_is_not_as_before() -> None:
    before, now = timer(NextTurn(at=THEN)), timer(NextTurn(at=NEXT))
    assert said(before, now) == ([f"its next turn was {THEN}, is {NEXT}"], [])
    assert said(before, now, LATE) == (
        *([], [f"Its turn of {THEN} came while it was masked; the next one is {NEXT}."]),
    )
    assert said(replace(before, active=ActiveState.INACTIVE), now) == ([], [])


def test_a_delay_that_is_drawn_anew_is_said() -> None:
    words = f"Its next turn was {THEN}, is {NEXT}: its delay is drawn anew with each start and reload."
    assert said(timer(NextTurn(at=THEN)), timer(NextTurn(at=NEXT, is_random=True))) == ([], [words])


@pytest.mark.parametrize(
    ("has", "words"),
    [
        (72, "Its next turn is counted anew, 12 seconds later than before."),
        (48, "Its next turn is counted anew, 12 seconds earlier than before."),
        (60.5, ""),
    ],
)
def test_what_is_counted_anew_is_said_by_value(has: float, words: str) -> None:
    before, now = (timer(NextTurn(after_boot=round(at * SECOND)), uptime=SECOND) for at in (60, has))
    assert said(before, now) == ([], [words] if words else [])


def test_of_a_turn_that_has_come_or_of_another_boot_no_value_is_said() -> None:
    before, anew = timer(NextTurn(after_boot=60 * SECOND)), "Its next turn is counted anew, from this start."
    assert said(before, timer(NextTurn(after_boot=99 * SECOND), uptime=61 * SECOND)) == ([], [anew])
    assert said(before, timer(NextTurn(after_boot=9 * SECOND), boot="another")) == ([], [anew])


def test_timers_beside_it_are_compared_as_well() -> None:
    def with_one(turn: NextTurn, **changed: object) -> Snapshot:
        return snapshot(triggers=(beside(turn, **changed),), uptime=SECOND)

    moment, other = NextTurn(at=THEN), NextTurn(at=NEXT)
    assert said(with_one(moment), with_one(other)) == ([f"b.timer: its next turn was {THEN}, is {NEXT}"], [])
    assert said(with_one(moment), with_one(other), LATE) == ([], [])
    assert said(with_one(moment), with_one(replace(other, is_random=True))) == ([], [])  # as it is meant to be
    length, longer = NextTurn(after_boot=60 * SECOND), NextTurn(after_boot=180 * SECOND)
    assert said(with_one(length), with_one(longer)) == (
        *([], ["b.timer: its next turn is counted anew, 2 minutes later than before."]),
    )
    assert said(with_one(NextTurn(after_boot=1)), with_one(length)) == ([], [])  # it came by itself, as it would have
    assert said(with_one(length, active=ActiveState.INACTIVE), with_one(longer)) == ([], [])
    assert said(with_one(length), snapshot()) == ([], [])


def test_a_turn_is_read_as_systemd_writes_it() -> None:
    shown = {"NextElapseUSecRealtime": THEN, "NextElapseUSecMonotonic": "1h 182.964ms", "RandomizedDelayUSec": "5min"}
    assert read_turn(shown) == NextTurn(THEN, 3_600_182_964, is_random=True)
    none = {"NextElapseUSecRealtime": "--- XXXX-XX-XX XX:XX:XX", "NextElapseUSecMonotonic": "infinity"}
    assert read_turn(none | {"RandomizedDelayUSec": "0"}) == read_turn({}) == NextTurn()
