"""The value types of configuration files: durations, patterns of unit names, people, names of hosts and groups."""

import re
from collections.abc import Iterable
from datetime import UTC, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, PlainValidator, StringConstraints

from bot.core.people.identity import PersonId
from bot.core.systemd.units import UNIT_TYPES
from bot.core.time.human_time import read_length
from bot.errors import UsageError

_SHOULD = re.compile(r"^(?:Input|String|List|Dictionary) should ")
_PATTERN = re.compile(r"[A-Za-z0-9:_.@\\*?\[\]!-]+", re.ASCII)
_PERSON = re.compile(r"(?:(?P<home>[TE][A-Z0-9]+):)?(?P<user>[UW][A-Z0-9]+)", re.ASCII)


def read_duration(typed: object) -> timedelta:
    """`15m`, `24h`, `1h30m`, `90s`, `7d`; also `0m`, which means never. Raises `ValueError`."""
    if isinstance(typed, str) and re.fullmatch(r"0+[dhms]", typed):
        return timedelta()
    try:
        return read_length(typed if isinstance(typed, str) else "")
    except UsageError:
        raise ValueError("is not a duration; write it like 15m, 1h30m or 24h") from None


def read_pattern(typed: str) -> str:
    """A shell-style pattern that can match a unit's full name. Raises `ValueError`."""
    if typed.startswith("!"):
        raise ValueError(f"`{typed}` would exclude units, which a pattern cannot do; list the units you mean")
    if not _PATTERN.fullmatch(typed):
        raise ValueError(f"`{typed}` is not a pattern of unit names, like `cron.service` or `backup-*.timer`")
    suffix = typed.rpartition(".")[2]
    if not re.search(r"[*?\[]", suffix) and ("." not in typed or suffix not in UNIT_TYPES):
        raise ValueError(f"`{typed}` matches no unit, because it lacks a suffix; write `{typed}.service` or `{typed}*`")
    return typed


def read_person(typed: str, teams: Iterable[str]) -> PersonId:
    """`U0123`, or `T0123:U0456` if there are several teams; `E...` is an enterprise. Raises `ValueError`."""
    found = _PERSON.fullmatch(typed)
    if found is None:
        raise ValueError(f"`{typed}` is not a Slack user id, like `U0123ABCD` (in Slack: profile, copy member ID)")
    teams = tuple(teams)
    home = found["home"] or (teams[0] if len(teams) == 1 else "")
    if found["home"] and found["home"] not in teams:
        raise ValueError(f"`{home}` is not among `teams`")
    if home.startswith("E"):
        return PersonId("", found["user"], enterprise=home)
    return PersonId(home, found["user"])


def read_zone(typed: object) -> tzinfo:
    """A time zone by its name, as in `Europe/Berlin`. Raises `ValueError`."""
    if typed == "UTC":
        return UTC
    try:
        if not isinstance(typed, str) or "/" not in typed:  # `CST` is a key too, and ambiguous
            raise ValueError
        return ZoneInfo(typed)
    except (ValueError, LookupError, OSError):
        meant = near(str(typed), (name for name in available_timezones() if "/" in name))
        what = "is not a time zone known on this machine; write it like Europe/Berlin, or UTC"
        raise ValueError(f"{what}.{meant}" if meant else what) from None


def read_clock_time(typed: object) -> time:
    """A time of day, as in `"09:00"`. Raises `ValueError`."""
    found = re.fullmatch(r"(\d{2}):(\d{2})", typed, re.ASCII) if isinstance(typed, str) else None
    try:
        if found is None:
            raise ValueError
        return time(int(found[1]), int(found[2]))
    except ValueError:
        raise ValueError('is not a time of day; write it like "09:00", with the quotes') from None


def plainly(message: str) -> str:
    """What pydantic says, in our words."""
    return _SHOULD.sub("has to ", message.removeprefix("Value error, ").replace(" after validation", ""))


def near(word: str, known: Iterable[str]) -> str:
    """` Did you mean ...?`, or nothing."""
    found = get_close_matches(word, [*known], n=1, cutoff=0.6)
    return f" Did you mean `{found[0]}`?" if found else ""


def fits(pattern: str, what: str) -> AfterValidator:
    """Text that fits a pattern; otherwise the error says `what` it should be."""

    def read(typed: str) -> str:
        if not re.fullmatch(pattern, typed, re.ASCII):
            raise ValueError(f"`{typed[:80]}` is not {what}")
        return typed

    return AfterValidator(read)


def _word(typed: str) -> str:
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?", typed, re.ASCII):
        raise ValueError(f"`{typed}` is not a valid name; use lower-case letters, digits and dashes")
    return typed


_ITS_ID = "in Slack: its name above the messages, *About*, at the end"
Duration = Annotated[timedelta, BeforeValidator(read_duration)]
ClockTime = Annotated[time, PlainValidator(read_clock_time)]
TimeZone = Annotated[tzinfo, PlainValidator(read_zone)]
Pattern = Annotated[str, AfterValidator(read_pattern)]
Word = Annotated[str, AfterValidator(_word)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
ChannelId = Annotated[str, fits("[CG][A-Z0-9]{2,}", f"a Slack channel id, like `C0123ABCD` ({_ITS_ID})")]
TeamId = Annotated[str, fits("[TE][A-Z0-9]{2,}", "a Slack team id, like `T0123ABCD`, or an enterprise id (E...)")]
