"""The next turns of timers after an undo: the same by value, or said in words."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.steps.timer_turns import fired_timers, moved_timers, restarted_timers
from bot.core.systemd.output import read_turn
from bot.core.systemd.side_effects import NextElapse, SideEffects
from bot.core.systemd.units import ActiveState, RelatedUnit, Snapshot
from tests.core.situations import related_unit, snapshot

THEN, NEXT = "Wed 2027-02-03 04:05:00 UTC", "Thu 2027-02-04 04:05:00 UTC"
EARLY, LATE = datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 2, 3, 5, tzinfo=UTC)
SECOND = 10**6


def timer(turn: NextElapse, *, uptime: int = 0, boot: str = "b00t", **changed: Any) -> Snapshot:
    return snapshot("a.timer", side_effects=SideEffects(next_turn=turn), uptime=uptime, boot_id=boot, **changed)


def beside(turn: NextElapse, **changed: object) -> RelatedUnit:
    return replace(related_unit("b.timer"), next_turn=turn, **changed)  # type: ignore[arg-type]


def turn_notes(before: Snapshot, now: Snapshot, at: datetime = EARLY) -> tuple[list[str], list[str]]:
    return [*moved_timers(before, now, at)], [*restarted_timers(before, now, at)]


def test_the_same_turn_is_as_before() -> None:
    for turn in (NextElapse(), NextElapse(at=THEN), NextElapse(after_boot=60 * SECOND)):
        assert turn_notes(timer(turn), timer(turn)) == ([], [])
    for had, has in ((NextElapse(), NextElapse(at=THEN)), (NextElapse(after_boot=5), NextElapse())):
        assert turn_notes(timer(had), timer(has)) == ([], [])  # that there is none any more is said elsewhere


def test_a_moment_that_moved_without_a_cause_is_not_as_before() -> None:
    before, now = timer(NextElapse(at=THEN)), timer(NextElapse(at=NEXT))
    assert turn_notes(before, now) == ([f"its next turn was {THEN}, is {NEXT}"], [])
    assert turn_notes(before, now, LATE) == (
        *([], [f"Its turn at {THEN} passed while it was masked; the next one is {NEXT}."]),
    )
    assert turn_notes(replace(before, active=ActiveState.INACTIVE), now) == ([], [])


def test_a_delay_that_is_drawn_anew_is_said() -> None:
    words = f"Its next turn was {THEN}, is {NEXT}: each start and reload draws its random delay again."
    assert turn_notes(timer(NextElapse(at=THEN)), timer(NextElapse(at=NEXT, is_random=True))) == ([], [words])


@pytest.mark.parametrize(
    ("has", "words"),
    [
        (72, "Its next turn is counted again, 12 seconds later than before."),
        (48, "Its next turn is counted again, 12 seconds earlier than before."),
        (60.5, ""),
    ],
)
def test_what_is_counted_anew_is_said_by_value(has: float, words: str) -> None:
    before, now = (timer(NextElapse(after_boot=round(at * SECOND)), uptime=SECOND) for at in (60, has))
    assert turn_notes(before, now) == ([], [words] if words else [])


def test_of_a_turn_that_has_come_or_of_another_boot_no_value_is_said() -> None:
    before, anew = timer(NextElapse(after_boot=60 * SECOND)), "Its next turn is counted again, from this start."
    assert turn_notes(before, timer(NextElapse(after_boot=99 * SECOND), uptime=61 * SECOND)) == ([], [anew])
    assert turn_notes(before, timer(NextElapse(after_boot=9 * SECOND), boot="another")) == ([], [anew])


def test_timers_beside_it_are_compared_as_well() -> None:
    def with_one(turn: NextElapse, **changed: object) -> Snapshot:
        return snapshot(triggers=(beside(turn, **changed),), uptime=SECOND)

    moment, other = NextElapse(at=THEN), NextElapse(at=NEXT)
    assert turn_notes(with_one(moment), with_one(other)) == ([f"b.timer: its next turn was {THEN}, is {NEXT}"], [])
    assert turn_notes(with_one(moment), with_one(other), LATE) == ([], [])
    assert turn_notes(with_one(moment), with_one(replace(other, is_random=True))) == ([], [])  # as it is meant to be
    length, longer = NextElapse(after_boot=60 * SECOND), NextElapse(after_boot=180 * SECOND)
    assert turn_notes(with_one(length), with_one(longer)) == (
        *([], ["b.timer: its next turn is counted again, 2 minutes later than before."]),
    )
    assert turn_notes(with_one(NextElapse(after_boot=1)), with_one(length)) == (
        [],
        [],
    )  # it came by itself, as it would have
    assert turn_notes(with_one(length, active=ActiveState.INACTIVE), with_one(longer)) == ([], [])
    assert turn_notes(with_one(length), snapshot()) == ([], [])


def test_a_turn_is_read_as_systemd_writes_it() -> None:
    shown = {"NextElapseUSecRealtime": THEN, "NextElapseUSecMonotonic": "1h 182.964ms", "RandomizedDelayUSec": "5min"}
    assert read_turn(shown) == NextElapse(THEN, 3_600_182_964, is_random=True)
    assert read_turn({"LastTriggerUSecMonotonic": "1min 2s"}) == NextElapse(fired=62 * SECOND)
    none = {"NextElapseUSecRealtime": "--- XXXX-XX-XX XX:XX:XX", "NextElapseUSecMonotonic": "infinity"}
    assert read_turn(none | {"RandomizedDelayUSec": "0"}) == read_turn({}) == NextElapse()


def test_a_timer_that_fired_at_the_undo_is_named() -> None:
    undo = timer(NextElapse(), uptime=60 * SECOND)

    def fired(at: int, **changed: Any) -> list[str]:
        before = timer(NextElapse(), triggers=(beside(NextElapse()),))
        now = timer(NextElapse(fired=at), triggers=(beside(NextElapse(fired=at)),), **changed)
        return [*fired_timers(before, undo, now)]

    mine, its = "It fired at the undo, and has started", "b.timer fired at the undo, and has started its unit."
    assert fired(61 * SECOND) == [f"{mine} its unit.", its]
    assert fired(61 * SECOND, starts=(related_unit("job.service"),)) == [f"{mine} job.service.", its]
    assert fired(59 * SECOND) == fired(61 * SECOND, boot="another") == []
    assert [*fired_timers(undo, None, undo)] == []
