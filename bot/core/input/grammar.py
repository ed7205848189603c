"""Parse what people type into commands: slash text, mentions, options, reasons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.core.hosts.inventory import is_group
from bot.core.input.dashless import dashless, with_dashes
from bot.core.input.kill_switch import Switch, SwitchCommand, read_switch_command
from bot.core.input.names import (
    SHOWN,
    near,
    read_duration,
    read_hold,
    read_host,
    read_reason,
    read_scheduled_window,
    read_unit,
    read_user,
)
from bot.core.input.options import (
    BREAK_GLASS,
    CONSOLE,
    FLAGS,
    HOLD,
    TERMS,
    WINDOW,
    cut,
    duration_option,
    hold_option,
    options_behind,
    split,
    window_option,
)
from bot.core.input.other_words import refuse_button, refuse_other_word, verb_meant
from bot.core.policy.hold import conflict
from bot.core.requests import Change, Hold, Verb
from bot.core.systemd.units import UNIT_TYPES, UnitName
from bot.core.text import unmangle
from bot.core.time.human_time import Now
from bot.errors import UsageError


@dataclass(frozen=True, slots=True)
class ChangeCommand:
    """A change that somebody asks for, with the reason as typed."""

    change: Change
    reason: str = ""
    break_glass: bool = False  # break-glass: without the missing approvals
    console_works: bool = False  # with `--break-glass`: the word that a guarded unit needs


class QuestionKind(StrEnum):
    """The questions that people can ask."""

    STATUS = "status"
    PLAN = "plan"
    WHY = "why"
    LIST = "list"
    HISTORY = "history"
    HANDOVER = "handover"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Question:
    """A question: `/mask status web-01 cron`. Words that a question does not need are empty."""

    word: QuestionKind
    host: str = ""
    unit: UnitName | None = None
    change: Change | None = None  # PLAN and WHY: the change in question


@dataclass(frozen=True, slots=True)
class Form:
    """A bare `/mask`, which opens the form."""


Command = ChangeCommand | Question | SwitchCommand | Form

# A reason of 500 `&` is 2,500 in Slack's text, and links are longer than they look; nobody types more than this.
_TEXT_LIMIT = 4000
_OF_A_MASK = (*FLAGS, *TERMS, *HOLD)  # options that an unmask does not have
_MENTION = re.compile(r"\s*<@[A-Z0-9]+(?:\|[^<>]*)?>[\s:,]*")


def parse(verb: Verb, text: str, hosts: Sequence[str], now: Now) -> Command:
    """Parse the text behind `/mask` or `/unmask`; times like `18:00` are relative to `now`.

    Host groups, like `@web`, count as hosts, but only some commands accept them. Raises `UsageError` with a sentence
    for the caller, and nothing else, whatever was typed.
    """
    typed = _repaired(text)
    first, rest = cut(typed)
    word = first.lower()
    if not first and verb is Verb.MASK:
        return Form()
    if verb is Verb.UNMASK and word in {*QuestionKind, *Switch} - {QuestionKind.HELP}:
        raise UsageError(f"`{word}` goes with `/mask`, not `/unmask`: use `/mask {word}`.")
    if word in set(QuestionKind):
        return _question(QuestionKind(word), rest, hosts, now)
    if word in set(Switch):
        return read_switch_command(Switch(word), rest)
    if meant := verb_meant(word, verb, hosts):
        return _order(meant, rest, hosts, now)
    if verb is Verb.MASK:
        refuse_other_word(word, rest, [*QuestionKind, *Switch], hosts)
    return _order(verb, typed, hosts, now)


def parse_mention(text: str, hosts: Sequence[str], now: Now) -> Command:
    """Parse a message that begins with a mention of the bot: the words of a command, verb first.

    Raises `UsageError`.
    """
    addressed = _MENTION.match(text[:_TEXT_LIMIT])
    if not addressed:
        raise UsageError("To use maskbot, begin with the mention, as in `@maskbot help`.")
    first, rest = cut(_repaired(text[addressed.end() :]))
    word = first.lower().removeprefix("/")
    if verb := verb_meant(word, Verb.MASK, ()):
        return _order(verb, rest, hosts, now)
    if word in set(Switch):
        return read_switch_command(Switch(word), rest)
    if word and word not in set(QuestionKind):
        refuse_button(word, rest)
        meant = near(word, [*Verb, *QuestionKind, *Switch])
        raise UsageError(f"There is no command `{first[:SHOWN]}`.{meant} `@maskbot help` lists them.")
    return _question(QuestionKind(word or QuestionKind.HELP), rest, hosts, now)


def _question(word: QuestionKind, rest: str, hosts: Sequence[str], now: Now) -> Question:
    hosts = [host for host in hosts if not is_group(host)]
    match word:
        case QuestionKind.HELP:
            return Question(word)
        case QuestionKind.PLAN | QuestionKind.WHY:
            change = _order(Verb.MASK, rest, hosts, now, said=f"mask {word}").change
            return Question(word, change.host, change.unit, change)
        case _:
            return _look(word, rest.split(), hosts)


def _look(word: QuestionKind, names: list[str], hosts: Sequence[str]) -> Question:
    """`handover`, `list [HOST]`, `history [HOST]` or `status HOST [UNIT]`."""
    usage = {QuestionKind.HANDOVER: "", QuestionKind.LIST: " [HOST]", QuestionKind.HISTORY: " [HOST]"}.get(
        word, " HOST [UNIT]"
    )
    if len(names) > len(usage.split()) or (word is QuestionKind.STATUS and not names):
        raise UsageError(f"Use `/mask {word}{usage}`, without anything else.")
    host, unit, *_ = [*map(unmangle.word, names), "", ""]
    return Question(word, read_host(host, hosts) if host else "", read_unit(unit) if unit else None)


def _order(verb: Verb, typed: str, hosts: Sequence[str], now: Now, *, said: str = "") -> ChangeCommand:
    names, options, reason = split(typed)
    host, unit = _host_and_unit(said or verb, names, hosts)
    why = read_reason(reason)
    _refuse_second_unit(why)
    _refuse_dashless(Change(verb, host, unit), typed, reason, options)
    if late := options_behind(typed, reason):
        before = f"/{said or verb} {host} {unit} {late[:SHOWN]} {reason.strip().removesuffix(late).strip()[:SHOWN]}"
        raise UsageError(
            f"`{late[:SHOWN]}` stands behind the reason, and would be a part of it. Options come first: `{before}`. "
            "If it is the reason, put `--` before it."
        )
    flags = [name for name in _OF_A_MASK if name in options]
    if flags and verb is Verb.UNMASK:
        raise UsageError(f"`{flags[0]}` belongs to `/mask`; `/unmask` removes any kind of mask the bot made.")
    change = Change(
        verb,
        host,
        unit,
        runtime="--runtime" in options,
        keep_running="--keep-running" in options,
        force="--force" in options,
        user=read_user(options["--user"]) if "--user" in options else "",
        duration=read_duration(duration_option(options), now) if {*TERMS} & {*options} else None,
        hold=_hold(host, options, now),
        scheduled_window=read_scheduled_window(window_option(options), now) if {*WINDOW} & {*options} else None,
    )
    if no := conflict(change):
        raise UsageError(no)
    if BREAK_GLASS in options and not why:
        again = f"`/{verb} {host} {unit} {BREAK_GLASS} WHY`"
        raise UsageError(f"`{BREAK_GLASS}` goes ahead without approval, so it needs a reason: {again}.")
    if BREAK_GLASS in options and is_group(host):
        raise UsageError(f"Break-glass does not work for a whole group: leave out `{BREAK_GLASS}`, or name one host.")
    if CONSOLE in options and BREAK_GLASS not in options:
        raise UsageError(f"`{CONSOLE}` only goes with `{BREAK_GLASS}`. Approvers confirm it in their own form.")
    return ChangeCommand(change, why, break_glass=BREAK_GLASS in options, console_works=CONSOLE in options)


def _hold(host: str, options: Mapping[str, str], now: Now) -> Hold | None:
    """The hold, on one host or on all hosts of a group."""
    hold = read_hold(*hold_option(options), now)
    return replace(hold, hosts=host.removeprefix("@")) if hold and is_group(host) else hold


def _host_and_unit(said: str, names: list[str], hosts: Sequence[str]) -> tuple[str, UnitName]:
    match names:
        case [unit, host] if unit not in hosts and host in hosts:
            raise UsageError(f"The host comes first: `/{said} {host} {unit[:SHOWN]}`.")
        case [host, unit]:
            return read_host(host, hosts), read_unit(unit)
        case [host] if host in hosts:
            raise UsageError(f"Which unit on {host}? Write it as in `/{said} {host} cron`.")
        case _:
            raise UsageError(f"Name a host and a unit, as in `/{said} {next(iter(hosts), 'web-01')} cron`.")


def _refuse_second_unit(reason: str) -> None:
    """systemctl takes several units and may handle only some of them; a request is about one unit."""
    word, _ = cut(reason)
    stem, dot, suffix = word.rpartition(".")
    if stem and dot and suffix in UNIT_TYPES:
        raise UsageError(f"One unit per request: ask for `{word[:SHOWN]}` by itself, or begin the reason with a word.")


def _refuse_dashless(change: Change, typed: str, reason: str, options: Mapping[str, str]) -> None:
    """`cron for 2h` would mask without expiry, with `for 2h` as the reason: ask what was meant."""
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
    if change.verb is Verb.UNMASK and {*meant} & {*_OF_A_MASK}:
        raise UsageError(
            f"Did you mean `/mask {change.host} {change.unit} {with_dashes(meant)}`? An unmask has no {option}: "
            f"without dashes, {said} is the reason, and the unit stays unmasked. "
            "If it is the reason, put `--` before it."
        )
    raise UsageError(
        f"Did you mean {option}? Without dashes, {said} is part of the reason and changes nothing. "
        "If it is the reason, put `--` before it."
    )


def _repaired(text: str) -> str:
    if len(text) > _TEXT_LIMIT:
        raise UsageError("That is too long. Send host, unit, options, and a reason of a line or two.")
    return unmangle.text(text).strip()
