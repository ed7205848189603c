"""Parse the options of a change, which may stand before, between and behind its names."""

import re
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches

from bot.core.input.names import SHOWN, near
from bot.core.text import unmangle
from bot.core.time.human_time import cut_moment
from bot.errors import UsageError

_WORD = re.compile(r"\s*(?P<word>\S+)(?P<rest>.*)", re.DOTALL)
_OPTION = re.compile(r"--?(?P<name>[A-Za-z][A-Za-z-]*)(?:(?P<is>=)(?P<value>.*))?", re.DOTALL)
ADOPT = "--adopt"
FLAGS = ("--runtime", "--keep-running", "--force", ADOPT)
BREAK_GLASS = "--break-glass"
CONSOLE = "--console-works"
CODE = "--code"
TERMS = ("--for", "--until")
WINDOW = ("--at", "--window")
HOLD = ("--hold", "--review")
OF_A_MASK = (*FLAGS, *TERMS, *HOLD)  # options that an unmask does not have
SET, ORDER, WAVES = "--set", "--order", "--waves"
_BARE = (*FLAGS, BREAK_GLASS, CONSOLE, SET, ORDER)  # without a value
_OPTIONS = (*_BARE, CODE, "--user", *TERMS, *HOLD, *WINDOW, WAVES)
_SECOND_SPELLINGS = {"--alone": BREAK_GLASS}  # accepted and never shown
_LIKE = {
    CODE: "--code 123456",
    "--user": "--user deploy",
    "--for": "--for 2h",
    "--until": "--until 18:00",
    "--hold": "--hold sre --review 90d",
    "--review": "--hold sre --review 90d",
    "--at": "--at 22:00",
    "--window": "--at 22:00 --window 2h",
    WAVES: "--waves 1,10%,rest",
}
_INSTEAD = {
    "--now": "Leave out `--now`: the unit is always stopped, and gracefully. `--keep-running` leaves it running.",
}


def cut(text: str) -> tuple[str, str]:
    """The first word, without Slack's typographic changes, and the rest."""
    found = _WORD.match(unmangle.strip_word_marks(text.lstrip()))
    return (unmangle.word(found["word"]), found["rest"].lstrip()) if found else ("", "")


def split(typed: str, *, forgiving: bool = False) -> tuple[list[str], dict[str, str], str]:
    """Split a text into host and unit, if they are there, options, and the reason, which ends the options.

    Raises `UsageError` for an invalid option; with `forgiving`, leaves it out instead.
    """
    names: list[str] = []
    options: dict[str, str] = {}
    rest = typed
    while rest:
        word, behind = cut(rest)
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


def duration_option(options: Mapping[str, str]) -> str:
    """The duration as a form takes it: `2h` or `until 18:00`; empty if none is given. Raises `UsageError`."""
    said = [name for name in TERMS if name in options]
    if len(said) > 1:
        raise UsageError("`--for` and `--until` both say when the mask expires. Use one.")
    return f"until {options['--until']}" if "--until" in said else options.get("--for", "")


def hold_option(options: Mapping[str, str]) -> tuple[str, str]:
    """The owner and review date as a form takes them; empty if none is given."""
    owners, review = (options.get(name, "") for name in HOLD)
    return owners, review


def window_option(options: Mapping[str, str]) -> str:
    """The window as a form takes it: `Tue 22:00 UTC` or `22:00 for 2h`; empty if none is given. Raises `UsageError`."""
    if "--window" in options and "--at" not in options:
        raise UsageError(
            "`--window` also needs `--at`, which says when the window opens, as in `--at 22:00 --window 2h`."
        )
    return " for ".join(options[name] for name in WINDOW if name in options)


def break_glass_option(options: Mapping[str, str]) -> tuple[bool, bool, str]:
    """Whether to use break-glass, with the word that console access works, and a code. Raises `UsageError`."""
    alone = next((name for name in (CONSOLE, CODE) if name in options and BREAK_GLASS not in options), "")
    if alone:
        raise UsageError(f"`{alone}` only goes with `{BREAK_GLASS}`. Approvers confirm it in their own form.")
    return BREAK_GLASS in options, CONSOLE in options, options.get(CODE, "")


def first_spelling(name: str) -> str:
    """The name that an option is shown by, for one that has a second spelling."""
    return _SECOND_SPELLINGS.get(name, name)


def is_about_break_glass(typed: str) -> bool:
    """Whether an option asks for break-glass, also if it is mistyped."""
    options = (_OPTION.fullmatch(unmangle.word(word)) for word in typed.split())
    names = {first_spelling(f"--{option['name'].lower()}") for option in options if option}
    return any(name == BREAK_GLASS or f"`{BREAK_GLASS}`" in _hint(name) for name in names)


def _hint(name: str) -> str:
    """The hint for an unknown option; empty for a known one."""
    if name in _OPTIONS:
        return ""
    meant = get_close_matches(name, _SECOND_SPELLINGS, n=1)
    return _INSTEAD.get(name) or near(_SECOND_SPELLINGS[meant[0]] if meant else name, _OPTIONS)


def _take(option: re.Match[str], rest: str, options: dict[str, str]) -> str:
    """Note an option; return the rest of the text and the option's value."""
    name, value = first_spelling(f"--{option['name'].lower()}"), option["value"] or ""
    if name not in _OPTIONS:
        raise UsageError(_INSTEAD.get(name) or f"There is no option `{option[0][:SHOWN]}`.{_hint(name)}")
    if name in options:
        raise UsageError(f"`{name}` is given twice.")
    if name in _BARE and option["is"]:
        raise UsageError(f"`{name}` takes no value.")
    if name in TERMS:
        value, rest = _cut_term(f"{value} {rest}")
    elif name in (*WINDOW, "--review"):
        value, rest = cut_moment(unmangle.straight(f"{value} {rest}").lstrip())
    elif name not in _BARE and not option["is"]:
        value, rest = cut(rest)
    if name in _LIKE and (not value.strip() or _OPTION.fullmatch(value)):
        raise UsageError(f"`{name}` needs a value, as in `{_LIKE[name]}`.")
    options[name] = value
    return rest


def _cut_term(text: str) -> tuple[str, str]:
    """Cut off a length or a time, which may be several words: `until Tue 18:00 UTC`."""
    typed, rest = cut_moment(unmangle.straight(text).lstrip())
    if typed.lower() == "until":
        moment, rest = cut_moment(rest)
        typed = f"{typed} {moment}"
    return typed, rest


def options_behind(typed: str, reason: str) -> str:
    """Options that end the reason, `INC-1 --for 2h`, which would be a part of it; empty if there are none.

    Behind `--` everything is a reason, and so is an option in the middle of a sentence.
    """
    words = [] if typed.removesuffix(reason).rstrip().endswith("--") else reason.split()
    for position in range(1, len(words)):
        if _OPTION.fullmatch(unmangle.word(words[position])):
            tail = " ".join(words[position:])
            with suppress(UsageError):
                if not split(f"HOST UNIT {tail}")[2]:
                    return tail
    return ""
