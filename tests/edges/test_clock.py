"""The clock of the machine speaks UTC, and waits as long as it is asked to."""

import time
from datetime import UTC, datetime, timedelta

from bot.edges.clock import SystemClock


def test_it_is_the_time_of_day_in_utc() -> None:
    before, now, after = datetime.now(UTC), SystemClock().now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.utcoffset() == timedelta(0)


def test_waiting_takes_as_long_as_was_asked() -> None:
    begun = time.monotonic()
    SystemClock().wait(0.02)
    assert time.monotonic() - begun >= 0.02


def test_no_time_at_all_is_no_wait() -> None:
    begun = time.monotonic()
    SystemClock().wait(-100)
    assert time.monotonic() - begun < 10
