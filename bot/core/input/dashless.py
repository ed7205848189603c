"""Detect options typed without dashes: `cron for 2h` would mask without expiry, with `for 2h` as the reason."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.core.input.names import SHOWN
from bot.core.input.options import OF_A_MASK, TERMS, first_spelling
from bot.core.requests import Verb
from bot.core.text import unmangle
from bot.core.time.human_time import cut_moment_in_prose
from bot.errors import UsageError

_MORNING = "09:00"  # the time of a date without one, as for a hold's review
_END = r"(?![^\s.,;])[.,;]?(?P<rest>.*)"
_SIGNS = re.IGNORECASE | re.DOTALL
_ABOUT = r"(?:(?:about|around|roughly|up to|at most|another|the next|next|~) *)?"
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SPELLED = re.compile(
    rf"{_ABOUT}(?P<count>\d+(?:[.,]\d)?|half an?|an?|{'|'.join(_NUMBERS)}) *"
    rf"(?P<unit>w|weeks?|days?|hrs?|hours?|mins?|minutes?|[dhms]){_END}",
    _SIGNS,
)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_LENGTH = re.compile(rf"{_ABOUT}(?P<value>(?:\d+[dhms])+){_END}", _SIGNS)
_FLAG = re.compile(rf"(?P<name>runtime|keep[- ]running|break[- ]glass|alone|console[- ]works|set|order){_END}", _SIGNS)
_NAMED = re.compile(r"(?P<name>for|until|till|at|window|user|hold|review)(?P<is> *= *| +)(?P<rest>\S.*)", _SIGNS)
_WAVES = re.compile(rf"waves(?: *= *| +)(?P<value>(?:\d+%?,)*(?:\d+%?|rest)){_END}", _SIGNS)
_DAY = re.compile(
    rf"(?P<value>\d{{4}}-\d{{1,2}}-\d{{1,2}}|tomorrow|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?){_END}",
    _SIGNS,
)
_WORD = re.compile(r"(?P<value>@?[a-z0-9][a-z0-9_-]*)(?!\S)(?P<rest>.*)", _SIGNS)
_CALLED = re.compile(r"(?P<value>@\S+|<!subteam\^\S+>)(?P<rest>.*)", _SIGNS)
# An end behind a reason, `INC-1 for 30 minutes`; but not how long something has lasted, `has been failing for 2h`.
_BEHIND = re.compile(r"(?P<reason>.*\S)[\s,;:]+(?P<end>(?:for|until|till)\s.+)", _SIGNS)
_LASTED = re.compile(r"\b(?:is|are|was|were|has|have|had|been|down|\w+(?:ing|ed))\b", re.IGNORECASE)
_CLEAR_LENGTH = re.compile(r"(?:\d+[dhms])+ *(?:[,;:]|[a-z][a-z0-9]*-\d|#\d)", re.IGNORECASE)  # `2h INC-1`, `2h, ...`
_PHRASES = ("on", "it", "off", "up", "this", "that", "them")  # `hold on`, `hold it`


@dataclass(frozen=True, slots=True)
class _Found:
    """An option at the beginning of a text; `certain` if nobody would begin a sentence like that."""

    name: str
    value: str
    rest: str
    is_certain: bool = True


def dashless(typed: str, reason: str) -> tuple[dict[str, str], str] | None:
    """The options at the beginning of a reason, or the end behind it, and the rest. None if it is a reason.

    Each option has a valid value. Behind `--` everything is a reason, and so is a text that merely begins with such a
    word.
    """
    if typed.removesuffix(reason).rstrip().endswith("--"):
        return None
    text = unmangle.straight(reason).strip()
    found = [*_options(text)]
    while found and not found[-1].is_certain and found[-1].rest:
        found.pop()
    return ({one.name: one.value for one in found}, found[-1].rest) if found else _end_behind(text)


def refuse_dashless(verb: Verb, names: str, typed: str, reason: str, options: Mapping[str, str]) -> None:
    """Ask what was meant by `cron for 2h`, which would mask without expiry, with `for 2h` as the reason.

    Raises `UsageError`.
    """
    found = dashless(typed, reason)
    if found is None:
        return
    has_term = bool({*TERMS} & {*options})
    meant = {
        name: value for name, value in found[0].items() if name not in options and not (name in TERMS and has_term)
    }
    if not meant:
        return
    option, said = f"`{with_dashes(meant)}`", f"`{reason.strip()[:SHOWN]}`"
    if verb is Verb.UNMASK and {*meant} & {*OF_A_MASK}:
        raise UsageError(
            f"Did you mean `/mask {names} {with_dashes(meant)}`? An unmask has no {option}: "
            f"without dashes, {said} is the reason, and the unit stays unmasked. "
            "If it is the reason, put `--` before it."
        )
    raise UsageError(
        f"Did you mean {option}? Without dashes, {said} is part of the reason and changes nothing. "
        "If it is the reason, put `--` before it."
    )


def _end_behind(text: str) -> tuple[dict[str, str], str] | None:
    """`INC-1 for 30 minutes`: an end, and the reason before it."""
    split = _BEHIND.fullmatch(text)
    found = _option(split["end"]) if split else None
    if split is None or found is None or found.rest or (found.name == "--for" and _LASTED.search(split["reason"])):
        return None
    return {found.name: found.value}, split["reason"].rstrip(",;: ")


def ends(text: str) -> str:
    """Words for an expiry at the beginning of a reason, for a request that cannot expire; else empty."""
    meant = dashless(text, reason_of(text))
    is_about_an_end = meant is not None and bool({"--for", "--until"} & {*meant[0]})
    return with_dashes(meant[0]) if meant and is_about_an_end and reason_of(text) == text else ""


def reason_of(text: str) -> str:
    """The text behind `--`, or the whole text."""
    first, _, rest = text.lstrip().partition(" ")
    return rest.lstrip() if first == "--" else text


def with_dashes(options: Mapping[str, str]) -> str:
    """The options as they should be written: `--for 2h --keep-running`."""
    return " ".join(f"{name} {value}".strip() for name, value in options.items())


def _options(text: str) -> Iterator[_Found]:
    known: set[str] = set()
    while (found := _option(text)) and found.name not in known:
        yield found
        known.add(found.name)
        text = found.rest


def _option(text: str) -> _Found | None:
    if flag := _FLAG.match(text):
        name = first_spelling(f"--{flag['name'].lower().replace(' ', '-')}")
        return _Found(name, "", flag["rest"].strip(), is_certain=False)
    if waves := _WAVES.match(text):
        return _Found("--waves", waves["value"], waves["rest"].strip())
    if length := _length(text):
        return _Found("--for", *length, is_certain=bool(_CLEAR_LENGTH.match(text)))
    named = _NAMED.match(text)
    return _read_named(named["name"].lower(), named["rest"], is_certain="=" in named["is"]) if named else None


def _read_named(name: str, text: str, *, is_certain: bool) -> _Found | None:
    if name in ("user", "hold"):
        called, word = _CALLED.match(text), _WORD.match(text)
        found = called or word
        if found is None or (found["value"].lower() in _PHRASES and not is_certain):
            return None
        return _Found(f"--{name}", found["value"], found["rest"].strip(), is_certain=is_certain or bool(called))
    length = _length(text) if name != "at" else None
    if length:
        return _Found("--for" if name in ("until", "till") else f"--{name}", *length)
    moment = None if name == "window" else _moment(text, may_be_a_day=name not in ("for", "at"))
    return _Found("--until" if name == "till" else f"--{name}", *moment) if moment else None


def _length(text: str) -> tuple[str, str] | None:
    """`2 hours`, `about two hours` as `2h`, and the rest of the text; a week is seven days."""
    if found := _LENGTH.match(text):
        return found["value"].lower(), found["rest"].strip()
    if found := _SPELLED.match(text):
        unit = found["unit"][0].lower()
        seconds = round(_number(found["count"].lower()) * _SECONDS[unit])
        shown = next(one for one in ("d" if unit == "w" else unit, "h", "m", "s") if not seconds % _SECONDS[one])
        return f"{seconds // _SECONDS[shown]}{shown}", found["rest"].strip()
    return None


def _number(typed: str) -> float:
    if typed[0].isdecimal():
        return float(typed.replace(",", "."))
    return 0.5 if typed.startswith("half") else 1.0 + (_NUMBERS.index(typed) if typed in _NUMBERS else 0)


def _moment(text: str, *, may_be_a_day: bool) -> tuple[str, str] | None:
    """A time as it was typed; a date without a time means its morning."""
    moment, rest = cut_moment_in_prose(text)
    if moment:
        return " ".join(moment.split()).removeprefix("at "), rest
    day = _DAY.match(text) if may_be_a_day else None
    return (f"{day['value']} {_MORNING}", day["rest"].strip()) if day else None
