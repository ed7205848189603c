"""Keep what is valid of an invalid command for a form, so that nothing has to be typed twice."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.input.dashless import dashless
from bot.core.input.grammar import QuestionKind
from bot.core.input.kill_switch import Switch
from bot.core.input.names import (
    REASON_LIMIT,
    near,
    read_duration,
    read_hold,
    read_host,
    read_scheduled_window,
    read_unit,
    read_user,
)
from bot.core.input.options import (
    ADOPT,
    BREAK_GLASS,
    ORDER,
    SET,
    WAVES,
    duration_option,
    hold_option,
    is_about_break_glass,
    options_behind,
    split,
    window_option,
)
from bot.core.input.selection import are_known
from bot.core.rollout.wave_sizes import read_waves
from bot.core.systemd.units import UNIT_TYPES
from bot.core.text import unmangle
from bot.core.time.human_time import Now
from bot.errors import UsageError

_LONGEST = 4000  # characters of a text that somebody typed
_QUOTED = 200  # characters of a message that becomes a reason
_MARKS = "`'\"()[]{}*_~,;:!?."  # around a name in a sentence


@dataclass(frozen=True, slots=True)
class Draft:
    """The known parts of a change; each part is valid or empty."""

    host: str = ""  # a list of hosts and groups, as in `web-01,@db`
    unit: str = ""  # a list of units
    runtime: bool = False
    keep_running: bool = False
    user: str = ""
    duration: str = ""  # `2h` or `until 18:00`
    scheduled_window: str = ""  # `Tue 22:00 UTC` or `22:00 for 2h`
    owners: str = ""  # of a hold
    review: str = ""  # and its review date
    waves: str = ""
    with_triggers: bool = False
    in_order: bool = False
    adopt: bool = False
    reason: str = ""


EMPTY = Draft()


def read_draft(text: str, hosts: Sequence[str], now: Now) -> Draft | None:
    """Read the text behind `/mask` as far as possible; None if it is only a reason, or a question.

    There is no draft for break-glass: a form cannot express it, and would silently ask for approvals.
    """
    typed = unmangle.text(text[:_LONGEST]).strip()
    if is_about_break_glass(typed):
        return None
    names, options, reason = split(typed, forgiving=True)
    if not names or _is_question(names[0], hosts):
        return None
    if meant := dashless(typed, reason):
        if BREAK_GLASS in meant[0]:
            return None
        options = {**meant[0], **options}
        reason = meant[1]
    if late := options_behind(typed, reason):
        options = {**split(f"HOST UNIT {late}")[1], **options}
        reason = reason.strip().removesuffix(late)
    host, unit = _host_and_unit(names, hosts)
    owners, review = _hold(options, now)
    draft = Draft(
        host,
        unit,
        runtime="--runtime" in options,
        keep_running="--keep-running" in options,
        user=_valid_or_empty(read_user, options.get("--user", "")),
        duration=_time(duration_option, read_duration, options, now),
        scheduled_window=_time(window_option, read_scheduled_window, options, now),
        owners=owners,
        review=review,
        waves=_valid_or_empty(lambda typed: ",".join(read_waves(typed)), options.get(WAVES, "")),
        with_triggers=SET in options,
        in_order=ORDER in options,
        adopt=ADOPT in options,
    )
    return replace(draft, reason=unmangle.prose(reason)[:REASON_LIMIT]) if draft != EMPTY else None


def draft_from_message(text: str, link: str, hosts: Sequence[str]) -> Draft:
    """A draft from somebody's message: the message is the reason, and host and unit are taken from it if
    unambiguous.
    """
    said = " ".join(unmangle.prose(unmangle.text(text[:_LONGEST])).split())
    named = [word.strip(_MARKS) for word in said.split()]
    units = dict.fromkeys(
        word for word in named if word.rpartition(".")[2] in UNIT_TYPES and _valid_or_empty(_unit, word)
    )
    known = dict.fromkeys(word for word in named if word in hosts)
    quote = said if len(said) <= _QUOTED else said[: _QUOTED - 1] + "…"
    reason = " ".join(part for part in (quote, link) if part)[:REASON_LIMIT]
    return Draft(_only(known), _only(units), reason=reason)


def _only(found: Iterable[str]) -> str:
    one, *others = [*found, ""][:2]
    return "" if any(others) else one


def _unit(typed: str) -> str:
    return str(read_unit(typed))


def _time(
    said_in: Callable[[Mapping[str, str]], str],
    read: Callable[[str, Now], object],
    options: Mapping[str, str],
    now: Now,
) -> str:
    """A time as it was typed, so that the form parses it when it is sent."""
    try:
        said = said_in(options)
        read(said, now)
    except UsageError:
        return ""
    return said


def _hold(options: Mapping[str, str], now: Now) -> tuple[str, str]:
    try:
        said = hold_option(options)
        read_hold(*said, now)
    except UsageError:
        return "", ""
    return said


def _is_question(word: str, hosts: Sequence[str]) -> bool:
    known = [*QuestionKind, *Switch]
    return word.lower() in known or (word not in hosts and bool(near(word, known)))


def _host_and_unit(names: Sequence[str], hosts: Sequence[str]) -> tuple[str, str]:
    """Hosts and units in either order. A single word is a unit, unless it looks like a host."""
    first, second = [*names, ""][:2]
    if are_known(second, hosts):  # typed the other way round, or a list with a space
        first, second = (f"{first},{second}", "") if are_known(first, hosts) else (second, first)
    host = _valid_items(lambda typed: read_host(typed, hosts), first)
    if not second and not host and not near(first, hosts):
        second = first
    return host, _valid_items(_unit, second)


def _valid_items(read: Callable[[str], str], typed: str) -> str:
    """What is valid of a list, each item once."""
    items = (_valid_or_empty(read, unmangle.word(one)) for one in typed.split(","))
    return ",".join(dict.fromkeys(filter(None, items)))


def _valid_or_empty(read: Callable[[str], str], typed: str) -> str:
    """The text if it is valid, else empty."""
    try:
        return read(typed)
    except UsageError:
        return ""
