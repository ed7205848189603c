"""Times on the clock on the wall: when a freeze or a window begins and ends, also in the night of a clock change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.time.calendar import Once, Period, Times, Weekly, current, upcoming

BERLIN = ZoneInfo("Europe/Berlin")  # 29 March 2026: 2:00 becomes 3:00; 25 October 2026: 3:00 becomes 2:00
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # 4 October 2026: 2:00 becomes 2:30
MON, FRI, SAT, SUN = 0, 4, 5, 6
WEEKEND = Weekly(frozenset({FRI}), time(18), time(8), days_later=3, zone=BERLIN)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def period(begins: str, ends: str) -> Period:
    return Period(utc(begins), utc(ends))


def night(begins: str, ends: str, *, days: frozenset[int] = frozenset({SUN}), zone: ZoneInfo = BERLIN) -> Weekly:
    later = int(time.fromisoformat(ends) <= time.fromisoformat(begins))
    return Weekly(days, time.fromisoformat(begins), time.fromisoformat(ends), later, zone)


AT = {
    "in the middle of a weekend": (WEEKEND, "2026-03-14 12:00", period("2026-03-13 17:00", "2026-03-16 07:00")),
    "at its first moment": (WEEKEND, "2026-03-13 17:00", period("2026-03-13 17:00", "2026-03-16 07:00")),
    "at its last moment": (WEEKEND, "2026-03-16 07:00", None),
    "right before": (WEEKEND, "2026-03-13 16:59:59", None),
    "a weekend that is an hour shorter": (
        WEEKEND,
        "2026-03-29 12:00",
        period("2026-03-27 17:00", "2026-03-30 06:00"),
    ),
    "a weekend that is an hour longer": (WEEKEND, "2026-10-25 12:00", period("2026-10-23 16:00", "2026-10-26 07:00")),
    "a night across the gap": (
        night("22:00", "06:00", days=frozenset({SAT})),
        "2026-03-29 01:30",
        period("2026-03-28 21:00", "2026-03-29 04:00"),
    ),
    "a beginning that the clock jumps over": (
        night("02:30", "05:00"),
        "2026-03-29 01:00",
        period("2026-03-29 01:00", "2026-03-29 03:00"),
    ),
    "an end that it jumps over": (
        night("01:00", "02:30"),
        "2026-03-29 00:59:59",
        period("2026-03-29 00:00", "2026-03-29 01:00"),
    ),
    "an end that it jumped over": (night("01:00", "02:30"), "2026-03-29 01:00", None),
    "a piece that it jumps over whole": (night("02:10", "02:50"), "2026-03-29 01:00", None),
    "half a piece that it jumps over": (
        night("02:30", "03:15"),
        "2026-03-29 01:10",
        period("2026-03-29 01:00", "2026-03-29 01:15"),
    ),
    "a beginning that comes twice": (
        night("02:30", "05:00"),
        "2026-10-25 01:10",  # 2:10 for the second time: it has begun, and does not end in between
        period("2026-10-25 00:30", "2026-10-25 04:00"),
    ),
    "an end that comes twice": (
        night("01:00", "02:30"),
        "2026-10-25 01:10",  # the second 2:10: it ends when 2:30 is shown for the last time
        period("2026-10-24 23:00", "2026-10-25 01:30"),
    ),
    "a change of half an hour": (
        night("02:15", "04:00", zone=LORD_HOWE),
        "2026-10-03 15:30",
        period("2026-10-03 15:30", "2026-10-03 17:00"),
    ),
    "whole days that touch": (
        Weekly(frozenset({SAT, SUN}), time(), time(), 1, BERLIN),
        "2026-03-14 12:00",
        period("2026-03-13 23:00", "2026-03-15 23:00"),
    ),
    "dates": (
        Once(datetime(2026, 12, 24, 18), datetime(2027, 1, 4, 8), BERLIN),  # noqa: DTZ001 - on the wall
        "2026-12-31 23:59",
        period("2026-12-24 17:00", "2027-01-04 07:00"),
    ),
    "dates that are over": (Once(datetime(2026, 1, 1), datetime(2026, 1, 2)), "2026-01-02 00:00", None),  # noqa: DTZ001
}


@pytest.mark.parametrize(("times", "now", "found"), AT.values(), ids=AT)
def test_what_it_is(times: Times, now: str, found: Period | None) -> None:
    assert current([times], utc(now)) == found


def test_times_that_overlap_are_one_period() -> None:
    friday = Weekly(frozenset({FRI}), time(12), time(20), zone=BERLIN)
    assert current([friday, WEEKEND], utc("2026-03-13 13:00")) == period("2026-03-13 11:00", "2026-03-16 07:00")
    assert current([WEEKEND, friday], utc("2026-03-13 18:00")) == period("2026-03-13 11:00", "2026-03-16 07:00")


def test_one_within_another_does_not_shorten_it() -> None:
    saturday = Weekly(frozenset({SAT}), time(10), time(11), zone=BERLIN)
    assert current([WEEKEND, saturday], utc("2026-03-14 12:00")) == period("2026-03-13 17:00", "2026-03-16 07:00")


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        ("2026-03-16 07:00", "2026-03-20 17:00"),
        ("2026-03-20 17:00", "2026-03-27 17:00"),
        ("2026-03-27 16:59", "2026-03-27 17:00"),
    ],
)
def test_the_next_one_is_the_first_that_has_not_begun(now: str, begins: str) -> None:
    following = upcoming([WEEKEND], utc(now))
    assert following
    assert following.begins == utc(begins)


def test_dates_are_next_however_far_they_are_and_only_once() -> None:
    dates = Once(datetime(2030, 1, 1), datetime(2030, 1, 2))  # noqa: DTZ001 - on the wall
    following = upcoming([dates], utc("2026-01-01"))
    assert following == period("2030-01-01", "2030-01-02")
    assert upcoming([dates], utc("2030-01-01")) is None


def test_a_year_of_nights_in_berlin_ends_each_morning_at_six() -> None:
    """Whatever the clock does, every night begins at 22:00 and ends at 06:00 as people there read it."""
    nights = [night("22:00", "06:00", days=frozenset(range(7)))]
    now, seen = utc("2026-01-01 12:00"), set[Period]()
    while now < utc("2026-12-31 12:00"):
        following = upcoming(nights, now)
        assert following
        seen.add(following)
        assert (following.begins.astimezone(BERLIN).time(), following.ends.astimezone(BERLIN).time()) == (
            time(22),
            time(6),
        )
        now = following.ends
    lengths = sorted({one.ends - one.begins for one in seen})
    assert (len(seen), lengths) == (365, [timedelta(hours=7), timedelta(hours=8), timedelta(hours=9)])
