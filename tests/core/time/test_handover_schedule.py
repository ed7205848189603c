"""A time of day on the wall: once on each day that is named, whatever the clock does on it."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.time.handover_schedule import WEEKDAYS, Schedule

BERLIN = ZoneInfo("Europe/Berlin")
EARLY, LATE = datetime(2011, 12, 1), datetime(2030, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
NINE = Schedule(time(9), BERLIN)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(schedule: Schedule, moment: str, times: int) -> list[str]:
    """The next times after a moment, in UTC."""
    at, found = utc(moment), []
    for _ in range(times):
        at = schedule.next_after(at)
        found.append(f"{at:%m-%d %H:%M}")
    return found


def test_it_is_the_same_time_on_the_wall_before_and_after_a_clock_change() -> None:
    assert due(NINE, "2026-03-27 12:00", 3) == ["03-28 08:00", "03-29 07:00", "03-30 07:00"]
    assert due(NINE, "2026-10-23 12:00", 3) == ["10-24 07:00", "10-25 08:00", "10-26 08:00"]


def test_a_time_that_the_clock_leaves_out_still_comes_once() -> None:
    half_past_two = Schedule(time(2, 30), BERLIN)
    assert due(half_past_two, "2026-03-28 12:00", 2) == ["03-29 01:30", "03-30 00:30"]


def test_a_time_that_comes_twice_counts_once() -> None:
    half_past_two = Schedule(time(2, 30), BERLIN)
    assert due(half_past_two, "2026-10-24 12:00", 2) == ["10-25 00:30", "10-26 01:30"]


def test_only_the_days_that_are_named() -> None:
    weekdays = Schedule(time(9), UTC, frozenset({"mon", "fri"}))
    assert due(weekdays, "2026-03-12 10:00", 3) == ["03-13 09:00", "03-16 09:00", "03-20 09:00"]


def test_at_that_very_time_the_next_one_is_a_day_away() -> None:
    assert due(NINE, "2026-06-01 06:59", 1) == ["06-01 07:00"]
    assert due(NINE, "2026-06-01 07:00", 1) == ["06-02 07:00"]


def test_a_schedule_is_known_again_by_its_words() -> None:
    assert str(Schedule(time(9, 5), BERLIN, frozenset({"tue", "mon"}))) == "mon tue 09:05 Europe/Berlin"


@given(
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.datetimes(EARLY, LATE, timezones=st.just(UTC)),
)
def test_each_time_is_later_than_the_last_and_no_week_is_left_out(
    at: time, zone: str, days: set[str], moment: datetime
) -> None:
    schedule = Schedule(at, ZoneInfo(zone), frozenset(days))
    first = schedule.next_after(moment)
    second = schedule.next_after(first)
    assert moment < first < second
    assert second - first >= timedelta(hours=22)
    assert first - moment <= timedelta(days=15)


@pytest.mark.parametrize("day", WEEKDAYS)
def test_every_day_of_the_week_comes(day: str) -> None:
    found = Schedule(time(0), UTC, frozenset({day})).next_after(utc("2026-03-01 00:00"))
    assert WEEKDAYS[found.weekday()] == day
