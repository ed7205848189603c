"""Parse names strictly: a host, a unit, a user, a duration, a time, a reason."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from bot.core.hosts.inventory import is_group
from bot.core.requests import Duration, Hold, ScheduledWindow
from bot.core.systemd.units import UNIT_TYPES, UnitName
from bot.core.text import unmangle
from bot.core.time.human_time import Now, names_a_day, read_day, read_length, read_moment
from bot.errors import UsageError

REASON_LIMIT = 500  # characters, in the form as well
_NAMED = 5  # groups that are offered where none has a similar name
SHOWN = 80  # characters of foreign text that are quoted in a sentence

# The strict mode of systemd's own rule ("User/Group Name Syntax"): never a number, never an option.
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,30}", re.ASCII)
_GROUP = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII)  # as policy.yaml names them
_CALLED = re.compile(r"<!subteam\^[A-Z0-9]+\|(@[^<>|]+)>")  # what Slack makes of `@sre`
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_NEVER_ESCAPED = re.compile(r"[A-Za-z0-9:_/]")  # `/` becomes a dash (systemd-escape(1))


def read_host(typed: str, hosts: Sequence[str]) -> str:
    """The name of a host, or of a group of hosts, as in the inventory. Raises `UsageError` with similar names."""
    typed = _CALLED.sub(r"\1", typed)
    if typed in hosts:
        return typed
    if not typed:
        raise UsageError("Name a host.")
    if is_group(typed):
        groups = [*filter(is_group, hosts)]
        raise UsageError(f"No host is in a group `{typed[:SHOWN]}`.{near(typed, groups) or _some(groups)}")
    raise UsageError(f"There is no host `{typed[:SHOWN]}`.{near(typed, hosts)}")


def read_unit(typed: str) -> UnitName:
    """The full name of one unit. Raises `UsageError`."""
    stem, dot, suffix = typed.rpartition(".")
    if not typed:
        raise UsageError("Name a unit.")
    if typed in ("-.mount", "-.slice"):
        raise UsageError(f"`{typed}` carries everything else on the host. It is never masked.")
    if dot and suffix not in UNIT_TYPES and suffix.lower() in UNIT_TYPES:
        raise UsageError(f"`{typed[:SHOWN]}` is not a unit name. Did you mean `{stem[:SHOWN]}.{suffix.lower()}`?")
    unit = UnitName.parse(typed)
    if any(_NEVER_ESCAPED.match(chr(int(code, 16))) for code in _ESCAPED.findall(unit.text)):
        raise UsageError(f"`{typed[:SHOWN]}` is not a unit name: systemd-escape(1) writes it differently.")
    return unit


def read_user(typed: str) -> str:
    """The name of an operating-system user. Raises `UsageError`."""
    if not _USER.fullmatch(typed):
        raise UsageError(f"`--user` needs the name of one user, as in `--user deploy`, not `{typed[:SHOWN]}`.")
    return typed


def read_reason(typed: str) -> str:
    """The reason as typed. Raises `UsageError` if it is too long to be shown."""
    reason = unmangle.prose(typed)
    if len(reason) > REASON_LIMIT:
        raise UsageError(
            f"The reason has {len(reason)} characters; at most {REASON_LIMIT} are allowed. Link to the rest."
        )
    return reason


def read_duration(typed: str, now: Now) -> Duration:
    """A mask's duration: `2h`, or `until 18:00`. Raises `UsageError`."""
    first, _, rest = typed.strip().partition(" ")
    if first.lower() == "until":
        return Duration(until=read_moment(rest, now))
    if names_a_day(typed):
        return Duration(until=read_moment(typed, now))
    try:
        return Duration(lasts=read_length(typed))
    except UsageError:
        raise UsageError(f"`{typed[:SHOWN]}` is not a duration; write it like 30m, 2h or until 18:00.") from None


def read_scheduled_window(typed: str, now: Now) -> ScheduledWindow:
    """A scheduled window: `Tue 22:00 UTC`, `22:00 for 2h`. Raises `UsageError`."""
    moment, says_how_long, length = typed.partition(" for ")
    opens = read_moment(moment, now)
    return ScheduledWindow(opens, opens + (read_length(length) if says_how_long else now.window))


def read_hold(owners: str, review: str, now: Now) -> Hold | None:
    """The owner and review date of a hold; None if no owner is given. Raises `UsageError`."""
    if not owners.strip() and not review.strip():
        return None
    if not owners.strip() or not review.strip():
        raise UsageError("A hold needs its owners and their review date, as in `--hold sre --review 90d`.")
    group = _CALLED.sub(r"\1", unmangle.word(owners.strip())).removeprefix("@")
    if not _GROUP.fullmatch(group):
        raise UsageError(f"`{owners[:SHOWN]}` is not a group in policy.yaml; write it as in `--hold sre`.")
    return Hold(group, read_day(review, now))


def _some(groups: Sequence[str]) -> str:
    more = ", ..." if len(groups) > _NAMED else ""
    return f" Known groups: {', '.join(f'`{name}`' for name in groups[:_NAMED])}{more or '.'}" if groups else ""


def near(typed: str, known: Iterable[str]) -> str:
    """A sentence with known names that are similar; empty if there are none."""
    found = get_close_matches(typed[:SHOWN].lower(), [*known], n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(f'`{name}`' for name in found)}?" if found else ""
