"""The clock of the machine speaks UTC, waits as long as it is asked to, and does not let itself be set back."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.edges.clock import SystemClock, wall_time
from tests.core.situations import NOW

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class Machine:
    """Its clock, which somebody may set, and the time that has passed in truth."""

    def __init__(self) -> None:
        self.wall = NOW
        self.passed = 0.0

    def pass_(self, seconds: float, *, jump: timedelta = timedelta()) -> None:
        self.passed += seconds
        self.wall += timedelta(seconds=seconds) + jump

    @property
    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall, lambda: self.passed)


def test_it_is_the_time_of_day_in_utc() -> None:
    before, now, after = datetime.now(UTC), SystemClock().now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.utcoffset() == wall_time().utcoffset() == timedelta(0)


def test_waiting_takes_as_long_as_was_asked() -> None:
    begun = time.monotonic()
    SystemClock().wait(0.02)
    assert time.monotonic() - begun >= 0.02


def test_no_time_at_all_is_no_wait() -> None:
    begun = time.monotonic()
    SystemClock().wait(-100)
    assert time.monotonic() - begun < 10


@pytest.mark.fault("F58", how="the machine's clock set back by a day")
def test_set_back_it_goes_on_as_if_it_had_not_been(saw: Callable[[str], str]) -> None:
    machine = Machine()
    clock = machine.clock
    machine.pass_(10, jump=-DAY)
    assert clock.now() == NOW + 10 * SECOND
    machine.pass_(600)
    assert clock.now() == NOW + 610 * SECOND
    assert clock.jumps() == [-DAY]
    assert clock.jumps() == []
    saw("nothing: what is due comes when it would have")


def test_set_right_again_it_is_with_the_machine_once_more() -> None:
    machine = Machine()
    clock = machine.clock
    machine.pass_(10, jump=-DAY)
    clock.now()
    machine.pass_(10, jump=DAY)
    assert clock.now() == machine.wall == NOW + 20 * SECOND
    assert clock.jumps() == [-DAY, DAY]


@pytest.mark.fault("F58", how="the machine's clock set forward by a day")
def test_set_forward_it_follows() -> None:
    machine = Machine()
    clock = machine.clock
    machine.pass_(10, jump=DAY)
    assert clock.now() == machine.wall
    assert clock.jumps() == [DAY]


def test_a_machine_that_is_too_busy_to_read_its_clocks_at_once_has_not_been_set() -> None:
    machine = Machine()
    pauses = iter([0, 9, 0, 0, 0, 0])

    def passed() -> float:
        machine.pass_(next(pauses, 0))
        return machine.passed

    clock = SystemClock(lambda: machine.wall, passed)
    for _ in range(3):
        clock.now()
    assert clock.jumps() == []
    assert clock.now() == machine.wall


@pytest.mark.parametrize("tremor", [-0.4, -4, 0.4, 20])
def test_what_a_clock_that_is_kept_in_time_does_is_no_jump_and_time_never_goes_backwards(tremor: float) -> None:
    machine = Machine()
    clock = machine.clock
    before = clock.now()
    machine.pass_(0.1, jump=timedelta(seconds=tremor))
    assert clock.now() >= before
    assert clock.jumps() == []
