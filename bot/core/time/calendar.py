"""Periods of a calendar, weekly or once, in the wall-clock time of their own zone.

A period begins when the wall clock first shows its beginning or jumps over it, and ends when it last shows its end or
jumps over it. So a clock change makes a night an hour shorter or longer, and no period comes in two pieces.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)
_AROUND = 9  # days before and after: a week, and a day for the zones
_LAST = timedelta(seconds=1)  # the precision with which a clock change is located


@dataclass(frozen=True, slots=True)
class Period:
    """From one time up to another, in UTC."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Once:
    """From one wall-clock time to another, once."""

    begins: datetime
    ends: datetime
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Weekly:
    """On these days of the week (Monday is 0) from a wall-clock time to a time so many days later."""

    days: frozenset[int]
    begins: time
    ends: time
    days_later: int = 0
    zone: tzinfo = UTC


Times = Once | Weekly


def current(times: Iterable[Times], now: datetime) -> Period | None:
    """The current period; periods that follow without a gap belong to it."""
    return next((period for period in _merge(times, now) if period.begins <= now < period.ends), None)


def upcoming(times: Iterable[Times], now: datetime) -> Period | None:
    """The next period that begins; of weekly ones, within a week."""
    return next((period for period in _merge(times, now) if now < period.begins), None)


def _merge(times: Iterable[Times], now: datetime) -> list[Period]:
    """All periods around that time in their order, adjoining ones joined."""
    joined: list[Period] = []
    found = sorted((period for one in times for period in _periods(one, now)), key=lambda period: period.begins)
    for period in found:
        if joined and period.begins <= joined[-1].ends:
            joined[-1] = Period(joined[-1].begins, max(joined[-1].ends, period.ends))
        else:
            joined.append(period)
    return joined


def _periods(times: Times, now: datetime) -> Iterator[Period]:
    if isinstance(times, Once):
        begins, ends = times.begins, times.ends
        yield Period(_first(begins, times.zone), _last(ends, times.zone))
        return
    for day in _days_around(now.astimezone(times.zone).date()):
        if day.weekday() in times.days:
            begins = datetime.combine(day, times.begins)
            ends = datetime.combine(day + times.days_later * _DAY, times.ends)
            period = Period(_first(begins, times.zone), _last(ends, times.zone))
            if period.begins < period.ends:  # the clock may jump over both
                yield period


def _days_around(today: date) -> Iterator[date]:
    return (today + number * _DAY for number in range(-_AROUND, _AROUND + 1))


def _first(wall: datetime, zone: tzinfo) -> datetime:
    """When the wall clock shows this for the first time, or jumps over it."""
    early, late = _readings(wall, zone)
    return early if early <= late else _jump(late, early, zone)


def _last(wall: datetime, zone: tzinfo) -> datetime:
    """When the wall clock shows this for the last time, or jumps over it."""
    early, late = _readings(wall, zone)
    return late if early <= late else _jump(late, early, zone)


def _readings(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """A wall-clock time as two times in UTC: equal, both readings, or in reverse if it is skipped (PEP 495)."""
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return early, late


def _jump(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """When the clock is put forward, between two times."""
    old = before.astimezone(zone).utcoffset()
    while after - before > _LAST:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
