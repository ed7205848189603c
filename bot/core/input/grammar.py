"""Parse what people type into commands: slash text, mentions, options, reasons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.input.dashless import refuse_dashless
from bot.core.input.kill_switch import Switch, SwitchCommand, read_switch_command
from bot.core.input.names import (
    SHOWN,
    near,
    read_duration,
    read_hold,
    read_reason,
    read_scheduled_window,
    read_user,
)
from bot.core.input.options import (
    ADOPT,
    BREAK_GLASS,
    OF_A_MASK,
    TERMS,
    WINDOW,
    break_glass_option,
    cut,
    duration_option,
    hold_option,
    options_behind,
    split,
    window_option,
)
from bot.core.input.other_words import ENROL, refuse_button, refuse_other_word, verb_meant
from bot.core.input.selection import (
    Names,
    names_in_words,
    read_hosts,
    read_names,
    read_selection,
    read_units,
    refuse_second_unit,
)
from bot.core.policy.hold import conflict
from bot.core.requests import Change, Selection, Verb
from bot.core.requests.ask import in_words
from bot.core.systemd.units import UnitName
from bot.core.text import unmangle
from bot.core.time.human_time import Now
from bot.errors import UsageError


@dataclass(frozen=True, slots=True)
class ChangeCommand:
    """A change that somebody asks for, with the reason as typed."""

    change: Change
    reason: str = ""
    break_glass: bool = False  # break-glass: without the missing approvals
    console_works: bool = False  # with `--break-glass`: the word that a guarded unit needs,
    code: str = field(default="", repr=False)  # and a code from their authenticator
    selection: Selection | None = None  # a rollout: all hosts and units; `change` names the hosts, and the first unit

    def __str__(self) -> str:
        return in_words(self.change, self.selection)


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
    """A question: `/mask status web-01 cron`. Words that a question does not need are empty.

    About more than one target it has a selection; its units are empty where a question is about whole hosts.
    """

    word: QuestionKind
    host: str = ""
    unit: UnitName | None = None
    change: Change | None = None  # PLAN and WHY: the change in question
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A bare `/mask`, which opens the form; or `/mask enrol`, which opens the one for an authenticator."""

    enrols: bool = False


Command = ChangeCommand | Question | SwitchCommand | Form

# A reason of 500 `&` is 2,500 in Slack's text, and links are longer than they look; nobody types more than this.
_TEXT_LIMIT = 4000
_MENTION = re.compile(r"\s*<@[A-Z0-9]+(?:\|[^<>]*)?>[\s:,]*")


def parse(verb: Verb, text: str, hosts: Sequence[str], now: Now) -> Command:
    """Parse the text behind `/mask` or `/unmask`; times like `18:00` are relative to `now`.

    `hosts` has the groups too, like `@web`. Raises `UsageError` with a sentence for the caller, and nothing else,
    whatever was typed.
    """
    typed = _repaired(text)
    first, rest = cut(typed)
    word = first.lower()
    if verb is Verb.MASK and (not first or word in ENROL):
        return Form(enrols=bool(first))
    if verb is Verb.UNMASK and word in {*QuestionKind, *Switch, *ENROL} - {QuestionKind.HELP}:
        raise UsageError(f"`{word}` goes with `/mask`, not `/unmask`: use `/mask {word}`.")
    if word in set(QuestionKind):
        return _question(QuestionKind(word), rest, hosts, now)
    if word in set(Switch):
        return read_switch_command(Switch(word), rest)
    if meant := verb_meant(word, verb, hosts):
        return _order(meant, rest, hosts, now)
    if verb is Verb.MASK:
        refuse_other_word(word, rest, [*QuestionKind, *Switch, *ENROL], hosts)
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


def _question(word: QuestionKind, rest: str, places: Sequence[str], now: Now) -> Question:
    match word:
        case QuestionKind.HELP:
            return Question(word)
        case QuestionKind.PLAN | QuestionKind.WHY:
            asked = _order(Verb.MASK, rest, places, now, said=f"mask {word}")
            return Question(word, asked.change.host, asked.change.unit, asked.change, asked.selection)
        case _:
            return _look(word, rest.split(), places)


def _look(word: QuestionKind, names: list[str], places: Sequence[str]) -> Question:
    """`handover`, `list [HOST]`, `history [HOST]` or `status HOST [UNIT]`; HOST and UNIT may be lists."""
    usage = {QuestionKind.HANDOVER: "", QuestionKind.LIST: " [HOST]", QuestionKind.HISTORY: " [HOST]"}.get(
        word, " HOST [UNIT]"
    )
    if len(names) > len(usage.split()) or (word is QuestionKind.STATUS and not names):
        raise UsageError(f"Use `/mask {word}{usage}`, without anything else.")
    host, unit, *_ = [*map(unmangle.word, names), "", ""]
    hosts, units = read_hosts(host, places) if host else (), read_units(unit) if unit else ()
    return Question(word, ",".join(hosts), next(iter(units), None), selection=read_selection((hosts, units)))


def _order(verb: Verb, typed: str, places: Sequence[str], now: Now, *, said: str = "") -> ChangeCommand:
    words, options, reason = split(typed)
    names = read_names(said or verb, words, places)
    why, meant = read_reason(reason), names_in_words(names)
    refuse_second_unit(names, why)
    refuse_dashless(verb, meant, typed, reason, options)
    if late := options_behind(typed, reason):
        before = f"/{said or verb} {meant} {late[:SHOWN]} {reason.strip().removesuffix(late).strip()[:SHOWN]}"
        raise UsageError(
            f"`{late[:SHOWN]}` comes after the reason and would be read as part of it. Options go first: `{before}`. "
            "If it is the reason, put `--` before it."
        )
    flags = [name for name in OF_A_MASK if name in options]
    if flags and verb is Verb.UNMASK:
        raise UsageError(f"`{flags[0]}` belongs to `/mask`; `/unmask` removes any kind of mask the bot made.")
    selection, change = read_selection(names, options), _change(verb, names, options, now)
    if no := conflict(change):
        raise UsageError(no)
    if BREAK_GLASS in options and not why:
        again = f"`/{verb} {meant} {BREAK_GLASS} WHY`"
        raise UsageError(f"`{BREAK_GLASS}` goes ahead without approval, so it needs a reason: {again}.")
    return ChangeCommand(change, why, *break_glass_option(options), selection)


def _change(verb: Verb, names: Names, options: Mapping[str, str], now: Now) -> Change:
    """The change with its options. Of a rollout it names the hosts as typed, and the first unit."""
    host, unit = ",".join(names[0]), names[1][0]
    return Change(
        verb,
        host,
        unit,
        runtime="--runtime" in options,
        keep_running="--keep-running" in options,
        force="--force" in options,
        adopt=ADOPT in options,
        user=read_user(options["--user"]) if "--user" in options else "",
        duration=read_duration(duration_option(options), now) if {*TERMS} & {*options} else None,
        hold=read_hold(*hold_option(options), now),
        scheduled_window=read_scheduled_window(window_option(options), now) if {*WINDOW} & {*options} else None,
    )


def _repaired(text: str) -> str:
    if len(text) > _TEXT_LIMIT:
        raise UsageError("That is too long. Send host, unit, options, and a reason of a line or two.")
    return unmangle.text(text).strip()
