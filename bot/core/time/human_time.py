"""Parse and format times as people write them: lengths (`2h`) and times (`Tue 22:00 UTC`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from bot.errors import UsageError

FURTHEST = timedelta(days=366)  # a later year is probably a typo
_SHOWN = 40
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_LENGTH = re.compile(r"(?:\d{1,5}[dhms]){1,4}", re.ASCII)
_PART = re.compile(r"(\d+)([dhms])", re.ASCII)
_TODAY = ("next", "today", "tonight")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = r"(?:(?P<day>\d{4}-\d{1,2}-\d{1,2}|[A-Za-z]{3,9})(?:[Tt]|,? +))?"
_MORNING = "09:00"
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}", re.ASCII)
_ZONE = r"UTC|Z|[+-]\d{2}:?\d{2}|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_+-]+)+"
_TIME = r"(?:0?[1-9]|1[0-2])(?::[0-5]\d)? ?[AaPp][Mm]|\d{1,2}:\d{2}|[Mm]idnight|[Nn]oon"
_MOMENT = re.compile(rf"{_DAY}(?:at +)?(?P<time>{_TIME})(?: *(?P<zone>{_ZONE}))?(?!\S)", re.ASCII)
_MOMENT_IN_PROSE = re.compile(_MOMENT.pattern.removesuffix(r"(?!\S)") + r"(?![^\s.,;])[.,;]?", re.ASCII)
_MIDNIGHT = "24:00"  # the end of a day
_IN_WORDS = {"midnight": _MIDNIGHT, "noon": "12:00"}
_MAY_BE_A_LENGTH = re.compile(r"(?!24:)\d{1,2}:\d{2}", re.ASCII)
_TWELVE = 12  # 12am is 00:00, and 12pm is noon
_WORD = re.compile(r"\S+")
_QUOTED = re.compile(r"""(?P<quote>["'`])(?P<inside>[^"'`]*)(?P=quote)(?!\S)""")


@dataclass(frozen=True, slots=True)
class Now:
    """The current time, and the zone of times that name none."""

    at: datetime
    zone: tzinfo = UTC
    window: timedelta = timedelta(hours=1)  # the default length of a window


def read_length(typed: str) -> timedelta:
    """`30m`, `2h`, `1h30m`, `7d`. Raises `UsageError`."""
    said = typed.strip().lower()
    parts = _PART.findall(said) if _LENGTH.fullmatch(said) else []
    length = sum((timedelta(**{_UNITS[sign]: int(number)}) for number, sign in parts), timedelta())
    if not length:
        raise UsageError(f"`{typed[:_SHOWN]}` is not a duration; write it like 30m, 2h, 1h30m or 7d.")
    return length


def read_moment(typed: str, now: Now) -> datetime:
    """The next matching time, in UTC: `22:00`, `10pm`, `Tue 22:00 UTC`, `tomorrow 06:30`, `2026-12-01T22:00Z`.

    Raises `UsageError`, also for a time that a clock change skips or repeats, because it is ambiguous.
    """
    found = _MOMENT.fullmatch(" ".join(typed.split()))
    if found is None:
        raise _not_read(typed)
    zone = _zone(found["zone"] or "", now.zone)
    today = now.at.astimezone(zone).date()
    named, said = (found["day"] or "next").lower(), found["time"].lower()
    if said == "midnight" and named not in _TODAY:
        raise UsageError(f"`{typed[:_SHOWN]}` could mean the start or the end of that day; write 00:00 or 24:00.")
    for day in _days(named, today, typed):
        at = _next(_on(day, _IN_WORDS.get(said, said), typed), zone, now)
        if at:
            return at
    raise UsageError(f"`{typed[:_SHOWN]}` has passed: it is {now.at.astimezone(zone):%a %H:%M} {zone} now.")


def read_day(typed: str, now: Now) -> datetime:
    """A future day: `90d`, `2027-03-01` (in the morning), or any time. Raises `UsageError`."""
    said = " ".join(typed.split())
    if _LENGTH.fullmatch(said.lower()):
        length = read_length(said)
        if length > FURTHEST:
            raise UsageError(f"`{typed[:_SHOWN]}` is more than a year away.")
        return (now.at + length).replace(second=0, microsecond=0)
    moment = f"{said} {_MORNING}" if _DATE.fullmatch(said) else said
    if not _MOMENT.fullmatch(moment):
        raise UsageError(f"`{typed[:_SHOWN]}` is not a date; write it like 90d or {now.at.year + 1}-03-01.")
    return read_moment(moment, now)


def names_a_day(typed: str) -> bool:
    """Whether the text can only be a time: `today 23:50`, `midnight`, `6am`. A bare `2:30` may be meant as a length."""
    found = _MOMENT.fullmatch(" ".join(typed.split()))
    return found is not None and (found["day"] is not None or not _MAY_BE_A_LENGTH.fullmatch(found["time"]))


def cut_moment(text: str) -> tuple[str, str]:
    """Cut a time off the beginning of a text, which may be several words or quoted; return it with the rest."""
    found = _QUOTED.match(text)
    if found:
        return found["inside"], text[found.end() :].lstrip()
    first = _MOMENT.match(text) or _WORD.match(text)
    end = first.end() if first else 0
    return text[:end], text[end:].lstrip()


def cut_moment_in_prose(text: str) -> tuple[str, str]:
    """The time at the beginning of prose (`18:00, then`), without the comma; empty if there is none."""
    found = _MOMENT_IN_PROSE.match(text)
    return (found[0].rstrip(".,;"), text[found.end() :].lstrip()) if found else ("", text)


def humanize(length: timedelta) -> str:
    """`45 seconds`, `12 minutes`, `1 hour 30 minutes`, `2 days`: at most two units."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:  # noqa: PLR2004 - a minute
        return _count(seconds, "second")
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "day"), (hours, "hour"), (0 if days else minutes, "minute"))
    return " ".join(_count(number, unit) for number, unit in parts if number)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" + "s" * (number != 1)


def _not_read(typed: str) -> UsageError:
    like = "22:00, Tue 22:00 UTC, tomorrow 06:30, midnight or 2026-12-01T22:00Z"
    return UsageError(f"`{typed[:_SHOWN]}` is not a time; write it like {like}.")


def _zone(typed: str, usual: tzinfo) -> tzinfo:
    """UTC, an offset, or the zone that the policy names. Abbreviations such as CST are ambiguous."""
    if not typed or typed == str(usual):
        return usual
    if typed in ("UTC", "Z"):
        return UTC
    if typed[0] not in "+-":
        raise UsageError(f"Times here are in {usual}, or in UTC, or with an offset like +02:00; not in {typed}.")
    hours, minutes = int(typed[1:3]), int(typed[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    if offset > timedelta(hours=14):
        raise UsageError(f"`{typed}` is not an offset from UTC.")
    return timezone(-offset if typed[0] == "-" else offset)


def _on(day: date, typed: str, whole: str) -> datetime:
    """A time of a day; 24:00 is its end."""
    if typed == _MIDNIGHT:
        return datetime.combine(day + timedelta(days=1), time())
    clock, half = typed.rstrip("apm").rstrip(), typed[-2:]
    hour, _, minute = clock.partition(":")
    try:
        if half not in ("am", "pm"):
            return datetime.combine(day, time(int(hour), int(minute)))
        return datetime.combine(day, time(int(hour) % _TWELVE + _TWELVE * (half == "pm"), int(minute or 0)))
    except ValueError:
        raise _not_read(whole) from None


def _days(typed: str, today: date, whole: str) -> Iterator[date]:
    """The days that may be meant, the nearest first."""
    named = [number for number, name in enumerate(_WEEKDAYS) if name.startswith(typed)]
    if typed == "next":
        yield from (today, today + timedelta(days=1))
    elif typed in _TODAY:
        yield today
    elif typed == "tomorrow":
        yield today + timedelta(days=1)
    elif named:
        ahead = (named[0] - today.weekday()) % len(_WEEKDAYS)
        yield from (today + timedelta(days=ahead), today + timedelta(days=ahead + len(_WEEKDAYS)))
    else:
        yield _date(typed, today, whole)


def _date(typed: str, today: date, whole: str) -> date:
    try:
        year, month, day = map(int, typed.split("-"))
        found = date(year, month, day)
    except ValueError:
        raise _not_read(whole) from None
    if found - today > FURTHEST:
        raise UsageError(f"`{whole[:_SHOWN]}` is more than a year away.")
    return max(found, today - timedelta(days=2))  # any past day leads to the same refusal


def _next(local: datetime, zone: tzinfo, now: Now) -> datetime | None:
    """That wall-clock time in UTC, if it is in the future."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if max(first, second) <= now.at:
        return None
    if first != second:
        happens = "comes twice" if first < second else "does not come"
        raise UsageError(f"{local:%H:%M} {happens} on {local:%d %B} in {zone}: the clock changes then. Give it in UTC.")
    return first
