"""Send a command to the running bot, and show its progress and answer."""

import os
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from bot.cli import status_line
from bot.cli.progress import tell
from bot.edges.cli_socket.client import NobodyThere, call, login_of
from bot.errors import ConfigError, MaskbotError, UsageError

Words = Mapping[str, Any]
# Places of the socket if MASKBOT_SOCKET is not set: the bot's default in its own directory, and a service's.
_PLACES = (Path("var/maskbot.sock"), Path("/run/maskbot/maskbot.sock"))
_FLAGS = ("runtime", "keep_running", "force", "adopt", "break_glass", "console_works", "set", "order")
_TIMES = ("for_", "until", "hold", "review", "at", "window")  # `for` by itself is a word of Python


@dataclass(frozen=True, slots=True)
class Vote:
    """Approve or deny."""

    verdict: str
    request: str
    reason: str = ""
    console_works: bool = False
    code: str = field(default="", repr=False)


def options(given: Words) -> list[str]:
    """The options as they are written behind `/mask`; others, which the terminal alone has, are left out."""
    flags = [f"--{name.replace('_', '-')}" for name in _FLAGS if given.get(name)]
    words = [f"--{name}={_one_word(given[name])}" for name in ("user", "waves", "code") if given.get(name)]
    return [*flags, *words, *(f"--{name.rstrip('_')}={_quote(given[name])}" for name in _TIMES if given.get(name))]


def change(verb: str, names: Sequence[str], given: Sequence[str], reason: Sequence[str], *, wait: bool) -> Words:
    """A change, in the words of the bot's grammar. Raises `UsageError`.

    `--` is passed on only if it was typed: behind it `for 2h` is a reason, and without it the bot asks what was meant.
    """
    text = " ".join([*given, *map(_one_word, names), *_dashes(), *reason])
    return {"do": "change", "verb": verb, "text": text, "wait": wait, "key": uuid.uuid4().hex}


def ask(asked: Words, *, carry_out: bool, as_json: bool) -> int:
    """Ask for a change, and follow it. Raises `MaskbotError`."""
    return tell(_carry_out(asked) if carry_out else call(_socket(), asked), as_json=as_json)


def look(word: str, names: Sequence[str], given: Sequence[str], *, as_json: bool, verbose: bool = False) -> int:
    """Ask a question. Raises `MaskbotError`."""
    text = " ".join([word, *given, *map(_one_word, names)])
    return tell(_asked_or_looked({"do": "question", "text": text}), as_json=as_json, verbose=verbose)


def switch(word: str, reason: Sequence[str], *, as_json: bool) -> int:
    """Freeze or thaw new masks. Raises `MaskbotError`."""
    text = " ".join([word, *_dashes(), *reason])
    return tell(call(_socket(), {"do": "switch", "text": text, "key": uuid.uuid4().hex}), as_json=as_json)


def status(names: Sequence[str], *, as_json: bool) -> int:
    """Show the state of a unit, a host or the bot itself. Raises `MaskbotError`."""
    if names:
        return look("status", names, (), as_json=as_json)
    return tell(call(_socket(), {"do": "state"}), as_json=as_json)


def vote(given: Vote, *, carry_out: bool, as_json: bool) -> int:
    """Vote on the current plan; a person at a terminal reads it first. Raises `MaskbotError`."""
    shown = list(_asked_or_looked({"do": "show", "id": given.request}))
    request = next((words["request"] for words in shown if words["event"] == "request"), None)
    if request is None:
        return tell(shown, as_json=as_json)
    if not as_json and request["stage"] == "waiting":
        _let_read(request, given.verdict)
    needs_code = given.verdict == "approve" and _asks_for_code(request)
    words = {
        "do": "vote",
        "id": given.request,
        "verdict": given.verdict,
        "plan": request["plan"],
        "reason": given.reason,
        "console_works": given.console_works,
        "code": given.code or (_typed_code() if needs_code else ""),
        "wait": carry_out,
    }
    return tell(_carry_out(words) if carry_out else call(_socket(), words), as_json=as_json)


def followup(kind: str, request: str, said: Sequence[str], *, as_json: bool, **more: object) -> int:
    """Send a followup about a request. Raises `MaskbotError`."""
    words = {"do": "followup", "kind": kind, "id": request, "text": " ".join(said), **more}
    return tell(call(_socket(), words), as_json=as_json)


def break_glass(request: str, why: Sequence[str], *, as_json: bool, code: str = "", **more: object) -> int:
    """Use break-glass for the current plan. Raises `MaskbotError`."""
    shown = list(call(_socket(), {"do": "show", "id": request}))
    found = next((words["request"] for words in shown if words["event"] == "request"), None)
    if found is None:
        return tell(shown, as_json=as_json)
    if not as_json and found["stage"] == "waiting":
        _let_read(found, "use break-glass for")
    code = code or (_typed_code() if _asks_for_code(found) else "")
    return followup("break_glass", request, why, as_json=as_json, plan=found["plan"], code=code, **more)


def withdraw(request: str, *, as_json: bool) -> int:
    """Withdraw a request before it runs. Raises `MaskbotError`."""
    return tell(call(_socket(), {"do": "withdraw", "id": request}), as_json=as_json)


def extend(request: str, reason: Sequence[str], *, wait: bool, as_json: bool, **times: str) -> int:
    """Ask for a later expiry of a mask (`until`), for none, or for another `review` of a hold.

    Raises `MaskbotError`.
    """
    words = {"do": "extend", "id": request, "text": " ".join([*_dashes(), *reason]), "wait": wait, **times}
    return tell(call(_socket(), {**words, "key": uuid.uuid4().hex}), as_json=as_json)


def reset_step_up(person: str, reason: str) -> int:
    """Have somebody's authenticator removed; root may do that without a running bot. Raises `MaskbotError`."""
    return tell(_asked_or_looked({"do": "reset_step_up", "person": person, "reason": reason}), as_json=False)


def _asks_for_code(request: Words) -> bool:
    return request["stage"] == "waiting" and bool((request["approval"] or {}).get("step_up"))


def _typed_code() -> str:
    """The code that somebody types at a terminal; it is not shown."""
    return str(typer.prompt("Code from your authenticator", hide_input=True, err=True)) if sys.stdin.isatty() else ""


def _let_read(request: Words, verdict: str) -> None:
    for one in status_line.plan(request):
        typer.echo(one, err=True)
    if sys.stdin.isatty() and not typer.confirm(f"{verdict.capitalize()} this?", err=True):
        raise MaskbotError("You did not confirm. Nothing was sent.")


def _asked_or_looked(words: Words) -> Iterator[Words]:
    """Ask the running bot; if none runs, root reads the database directly. Nothing is changed."""
    try:
        yield from call(_socket(), words)
    except NobodyThere as nobody:
        if os.geteuid() != 0:
            raise
        try:
            yield from _here(words, works=False)
        except ConfigError as error:
            how = "MASKBOT_SOCKET names the socket of a bot that runs elsewhere"
            without = (
                "With no bot running, root can read the database directly, "
                f"but the bot's settings are not set here: {error}"
            )
            raise MaskbotError(f"{nobody} {how}. {without}") from None


def _carry_out(words: Words) -> Iterator[Words]:
    """Carry the command out in this process, as a bot without Slack."""
    if os.geteuid() != 0:
        raise MaskbotError(
            "Only root may carry out a change without a running bot: "
            "whoever can write its database could forge approvals."
        )
    yield from _here(words, works=True)


def _here(words: Words, *, works: bool) -> Iterator[Words]:
    from bot.app.run import without_slack

    with without_slack(works=works) as serve:
        yield from serve(words, login_of(os.getuid()))


def _dashes() -> list[str]:
    return ["--"] if "--" in sys.argv else []


def _one_word(typed: str) -> str:
    """A name as it was typed. Raises `UsageError`."""
    if len(typed.split()) != 1:
        raise UsageError(f"`{typed[:80]}` is not one word.")
    return typed


def _quote(typed: str) -> str:
    """A time as it was typed, which may be several words. Raises `UsageError`."""
    if not typed.isprintable() or any(sign in typed for sign in "\"'`"):
        raise UsageError(f"`{typed[:80]}` is not a time.")
    return f'"{typed}"'


def _socket() -> Path:
    named = os.environ.get("MASKBOT_SOCKET")
    return Path(named) if named else next((place for place in _PLACES if place.exists()), _PLACES[0])
