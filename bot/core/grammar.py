"""What people type, turned into commands: slash text, mentions, options, reasons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.core import repair
from bot.core.changes import Change, Verb
from bot.core.names import SHOWN, near, read_host, read_reason, read_term, read_unit, read_user, read_window
from bot.core.switching import Switch, Switching, read_switching
from bot.core.times import Now, cut_moment
from bot.core.units import UNIT_TYPES, UnitName
from bot.errors import UsageError


@dataclass(frozen=True, slots=True)
class Order:
    """A change somebody wants, with the reason as typed."""

    change: Change
    reason: str = ""
    alone: bool = False  # without the votes that are missing


class Word(StrEnum):
    """What may be asked without wanting a change."""

    STATUS = "status"
    PLAN = "plan"
    WHY = "why"
    LIST = "list"
    HISTORY = "history"
    HANDOVER = "handover"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Question:
    """A look at something: `/mask status web-01 cron`. Words that a question does not need are empty."""

    word: Word
    host: str = ""
    unit: UnitName | None = None
    change: Change | None = None  # PLAN and WHY: the change that is asked about


@dataclass(frozen=True, slots=True)
class Form:
    """A bare `/mask`: the form is wanted."""


Command = Order | Question | Switching | Form

# A reason of 500 `&` is 2,500 on the wire, and links are longer than what they show; beyond this nobody typed it.
_TEXT_LIMIT = 4000
_WORD = re.compile(r"\s*(?P<word>\S+)(?P<rest>.*)", re.DOTALL)
_OPTION = re.compile(r"--?(?P<name>[A-Za-z][A-Za-z-]*)(?:(?P<is>=)(?P<value>.*))?", re.DOTALL)
_FLAGS = ("--runtime", "--keep-running")
_ALONE = "--alone"
_TERMS = ("--for", "--until")
_WINDOW = ("--at", "--window")
_OPTIONS = (*_FLAGS, "--user", *_TERMS, *_WINDOW, _ALONE)
_INSTEAD = {
    "--break-glass": "It is `--alone`, and why nobody can be asked stands behind it.",
    "--now": "Leave `--now` out: the unit is stopped anyway, gracefully and first. `--keep-running` would leave it up.",
}
_MENTION = re.compile(r"\s*<@[A-Z0-9]+(?:\|[^<>]*)?>[\s:,]*")


def parse(verb: Verb, text: str, hosts: Sequence[str], now: Now) -> Command:
    """Read what stands behind `/mask` or `/unmask`; `now` is what `18:00` is understood by.

    Raises `UsageError` with a sentence for the caller, and nothing else, whatever was typed.
    """
    typed = _repaired(text)
    first, rest = _cut(typed)
    word = first.lower()
    if not first and verb is Verb.MASK:
        return Form()
    if word in set(Word):
        if verb is Verb.UNMASK and word != Word.HELP:
            raise UsageError(f"`{word}` stands behind the other command: `/mask {word}`.")
        return _question(Word(word), rest, hosts, now)
    if word in set(Switch):
        if verb is Verb.UNMASK:
            raise UsageError(f"`{word}` stands behind the other command: `/mask {word}`.")
        return read_switching(Switch(word), rest)
    return _order(verb, typed, hosts, now)


def parse_mention(text: str, hosts: Sequence[str], now: Now) -> Command:
    """Read a message that begins with a mention of the bot: the same words, the verb first. Raises `UsageError`."""
    addressed = _MENTION.match(text[:_TEXT_LIMIT])
    if not addressed:
        raise UsageError("To ask something of me, begin with the mention, as in `@maskbot help`.")
    first, rest = _cut(_repaired(text[addressed.end() :]))
    word = first.lower().removeprefix("/")
    if word in set(Verb):
        return _order(Verb(word), rest, hosts, now)
    if word in set(Switch):
        return read_switching(Switch(word), rest)
    if word and word not in set(Word):
        raise UsageError(
            f"I do not know `{first[:SHOWN]}`.{near(word, [*Verb, *Word, *Switch])} `@maskbot help` says what I do."
        )
    return _question(Word(word or Word.HELP), rest, hosts, now)


def _question(word: Word, rest: str, hosts: Sequence[str], now: Now) -> Question:
    match word:
        case Word.HELP:
            return Question(word)
        case Word.PLAN | Word.WHY:
            change = _order(Verb.MASK, rest, hosts, now, said=f"mask {word}").change
            return Question(word, change.host, change.unit, change)
        case _:
            return _look(word, rest.split(), hosts)


def _look(word: Word, names: list[str], hosts: Sequence[str]) -> Question:
    """`handover`, `list [HOST]`, `history [HOST]` or `status HOST [UNIT]`."""
    usage = {Word.HANDOVER: "", Word.LIST: " [HOST]", Word.HISTORY: " [HOST]"}.get(word, " HOST [UNIT]")
    if len(names) > len(usage.split()) or (word is Word.STATUS and not names):
        raise UsageError(f"It is `/mask {word}{usage}`, and no more than that.")
    host, unit, *_ = [*map(repair.word, names), "", ""]
    return Question(word, read_host(host, hosts) if host else "", read_unit(unit) if unit else None)


def _order(verb: Verb, typed: str, hosts: Sequence[str], now: Now, *, said: str = "") -> Order:
    names, options, reason = split(typed)
    host, unit = _host_and_unit(said or verb, names, hosts)
    why = read_reason(reason)
    _refuse_second_unit(why)
    flags = [name for name in (*_FLAGS, *_TERMS) if name in options]
    if flags and verb is Verb.UNMASK:
        raise UsageError(f"`{flags[0]}` belongs to `/mask`; `/unmask` takes away whatever kind of mask we made.")
    change = Change(
        verb,
        host,
        unit,
        runtime="--runtime" in options,
        keep_running="--keep-running" in options,
        user=read_user(options["--user"]) if "--user" in options else "",
        term=read_term(term_said(options), now) if {*_TERMS} & {*options} else None,
        window=read_window(window_said(options), now) if {*_WINDOW} & {*options} else None,
    )
    if _ALONE in options and not why:
        raise UsageError(
            f"`{_ALONE}` goes ahead without votes, so it needs a reason: `/{verb} {host} {unit} --alone WHY`."
        )
    return Order(change, why, alone=_ALONE in options)


def split(typed: str, *, forgiving: bool = False) -> tuple[list[str], dict[str, str], str]:
    """Host and unit as far as they are there, the options around them, and the reason, which ends the options.

    Raises `UsageError` for an option that makes no sense; a forgiving reader leaves it out.
    """
    names: list[str] = []
    options: dict[str, str] = {}
    rest = typed
    while rest:
        word, behind = _cut(rest)
        option = _OPTION.fullmatch(word)
        if option:
            try:
                behind = _take(option, behind, options)
            except UsageError:
                if not forgiving:
                    raise
        elif len(names) < len(("HOST", "UNIT")) and word != "--":
            names.append(word)
        else:
            return names, options, behind if word == "--" else rest
        rest = behind
    return names, options, ""


def term_said(options: Mapping[str, str]) -> str:
    """How long, as a form takes it: `2h` or `until 18:00`; empty if nobody said. Raises `UsageError`."""
    said = [name for name in _TERMS if name in options]
    if len(said) > 1:
        raise UsageError("`--for` and `--until` both say when it ends. One of them is enough.")
    return f"until {options['--until']}" if "--until" in said else options.get("--for", "")


def window_said(options: Mapping[str, str]) -> str:
    """When, as a form takes it: `Tue 22:00 UTC` or `22:00 for 2h`; empty if nobody said. Raises `UsageError`."""
    if "--window" in options and "--at" not in options:
        raise UsageError("`--window` says how long, and `--at` has to say from when, as in `--at 22:00 --window 2h`.")
    return " for ".join(options[name] for name in _WINDOW if name in options)


def _take(option: re.Match[str], rest: str, options: dict[str, str]) -> str:
    """Note an option; return what is left behind it and its value."""
    name, value = f"--{option['name'].lower()}", option["value"] or ""
    if name not in _OPTIONS:
        raise UsageError(_INSTEAD.get(name) or f"There is no option `{option[0][:SHOWN]}`.{near(name, _OPTIONS)}")
    if name in options:
        raise UsageError(f"`{name}` stands there twice.")
    if name in (*_FLAGS, _ALONE) and option["is"]:
        raise UsageError(f"`{name}` takes no value.")
    if name in _TERMS:
        value, rest = _cut_term(f"{value} {rest}")
    elif name == "--at":
        value, rest = cut_moment(repair.straight(f"{value} {rest}").lstrip())
    elif name not in (*_FLAGS, _ALONE) and not option["is"]:
        value, rest = _cut(rest)
    options[name] = value
    return rest


def _cut_term(text: str) -> tuple[str, str]:
    """A length or a moment, which may be several words: `until Tue 18:00 UTC`."""
    typed, rest = cut_moment(repair.straight(text).lstrip())
    if typed.lower() == "until":
        moment, rest = cut_moment(rest)
        typed = f"{typed} {moment}"
    return typed, rest


def _host_and_unit(said: str, names: list[str], hosts: Sequence[str]) -> tuple[str, UnitName]:
    match names:
        case [unit, host] if unit not in hosts and host in hosts:
            raise UsageError(f"The host comes first: `/{said} {host} {unit[:SHOWN]}`.")
        case [host, unit]:
            return read_host(host, hosts), read_unit(unit)
        case [host] if host in hosts:
            raise UsageError(f"Which unit on {host}? Write it as in `/{said} {host} cron`.")
        case _:
            raise UsageError(f"I need a host and a unit, as in `/{said} {next(iter(hosts), 'web-01')} cron`.")


def _refuse_second_unit(reason: str) -> None:
    """systemctl takes several units and may carry out a part of them; a request is about one."""
    word, _ = _cut(reason)
    stem, dot, suffix = word.rpartition(".")
    if stem and dot and suffix in UNIT_TYPES:
        raise UsageError(f"One unit per request: ask for `{word[:SHOWN]}` by itself, or begin the reason with a word.")


def _cut(text: str) -> tuple[str, str]:
    """The first word, repaired, and what stands behind it."""
    found = _WORD.match(text)
    return (repair.word(found["word"]), found["rest"].lstrip()) if found else ("", "")


def _repaired(text: str) -> str:
    if len(text) > _TEXT_LIMIT:
        raise UsageError("That is too long for me. Host, unit and options, and a reason of a line or two.")
    return repair.text(text).strip()
