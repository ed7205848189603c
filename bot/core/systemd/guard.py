"""The language of the guard, root's part on a host: requests, answers, and what each protocol can do."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

from bot.core.systemd.host_rules import GUARD, LONGEST_LOOK, LOOK_SECONDS
from bot.core.text.sanitize import clean
from bot.errors import HostError

Argv = tuple[str, ...]
NAME = "maskbot-guard"
"""The first word of every command that is recorded: the bot calls nothing else on a host."""

REFUSED, LATE = 64, 124
"""Exit codes: nothing was done; a look that was ended at its limit, as timeout(1) says it."""

_MARGIN = 5  # seconds between the end of a look on its host and the end of our patience, so that we hear of it
_LONGEST_FIRST_LINE = 160
_UNREAD = "-"  # instead of an id, for what a guard could not read
_MISSING = (126, 127)  # sh(1): it could not be run, or is not there
_FIRST_LINE = re.compile(
    rf"{NAME} (?P<protocol>\d{{1,4}}) (?P<version>\S{{1,40}}) (?P<id>\S{{1,40}}) (?P<code>\d{{1,3}})"
    r" (?P<out>\d{1,7}) (?P<err>\d{1,7}) (?P<look>\d{1,7})\n",
    re.ASCII,
)

RIGHTS = (
    "mask", "unmask", "stop", "start", "reset-failed", "reload", "kill", "control", "foreign-masks",
)  # fmt: skip
"""What a guard can do for the bot, in its own words; it says which of them hold on its host."""

NEVER = "never"
"""How it says that it spares a unit; the reason follows."""

PROTOCOLS: Mapping[int, frozenset[str]] = MappingProxyType({1: frozenset(RIGHTS)})
"""What the guards that the bot speaks with can do at most: the newest protocol, and the one before it."""

PROTOCOL = max(PROTOCOLS)


@dataclass(frozen=True, slots=True)
class Note:
    """What the host's journal says of a change: the request's id, who asked and approved, why, and until when."""

    request: str
    asked_by: str = ""
    approved_by: str = ""
    reason: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Framed:
    """An answer of a guard, taken out of its frame."""

    protocol: int
    version: str
    exit_code: int
    stdout: str
    stderr: str
    look: str = ""  # taken after a change, if that was asked for


_LONGEST_WORDS = 300
_INSTALL = "Run the script that `maskbot host install-script` prints there, as root."


def request_line(
    argv: Argv,
    identity: str,
    note: Note | None = None,
    then: Argv = (),
    *,
    protocol: int = PROTOCOL,
    deadline: float = LOOK_SECONDS + _MARGIN,
) -> str:
    """The request on the guard's standard input, for the words of a recorded command.

    The answer repeats `identity`, digits of hexadecimal, which no other request of the conversation has. `then` is the
    command of the look that follows it at once, in the same request. A look ends on the host before the `deadline`, in
    seconds, of who waits for it.
    """
    name, *words = argv
    if name != NAME:
        raise ValueError("the bot sends nothing but requests to the guard")
    user = ""
    if words[0] == "--user":
        user, words = words[1], words[2:]
    look = {"then": then[-2], "about": then[-1]} if then else {}
    said = {key: clean(text, lines=1, width=_LONGEST_WORDS) for key, text in _texts(note).items()}
    head = {"protocol": protocol, "id": identity, "do": words, "user": user, "note": said}
    return json.dumps({**head, "seconds": look_seconds(deadline), **look}) + "\n"


def look_seconds(deadline: float) -> int:
    """How long a look may run on its host, for somebody who waits until the deadline, in seconds."""
    return max(1, min(LONGEST_LOOK, int(deadline - _MARGIN)))


def _texts(note: Note | None) -> dict[str, str]:
    if note is None:
        return {}
    return {
        "request": note.request,
        "asked_by": note.asked_by,
        "approved_by": note.approved_by,
        "reason": " ".join(note.reason.split()),
        "until": note.until,
    }


def frame_size(said: bytes, identity: str) -> int:
    """How long the answer to that request is in all, by what has come of it; 0 while that cannot be told.

    Raises `ValueError` if it is no answer of a guard, or the one to another request.
    """
    line, newline, _ = said[: _LONGEST_FIRST_LINE + 1].partition(b"\n")
    first = _FIRST_LINE.match(f"{line.decode('ascii', 'replace')}\n") if newline else None
    if first is not None and first["id"] == identity:
        return len(line) + 1 + sum(_lengths(first))
    if newline or len(line) > _LONGEST_FIRST_LINE or not f"{NAME} ".encode().startswith(line[: len(NAME) + 1]):
        raise ValueError("not the answer of a guard")
    return 0


def _lengths(first: re.Match[str]) -> list[int]:
    return [int(first[part]) for part in ("out", "err", "look")]


def read_frame(stdout: str, identity: str) -> Framed | None:
    """A guard's answer to that request; None if something else answered, or if the frame is not whole."""
    first = _FIRST_LINE.match(stdout)
    if first is None or first["id"] not in (identity, _UNREAD):
        return None
    out_ends, err_ends, all_ends = accumulate(_lengths(first))
    parts = stdout[first.end() :].encode()
    if len(parts) != all_ends:
        return None
    out, err, look = parts[:out_ends], parts[out_ends:err_ends], parts[err_ends:]
    return Framed(
        protocol=int(first["protocol"]),
        version=first["version"],
        exit_code=int(first["code"]),
        stdout=out.decode("utf-8", "replace"),
        stderr=err.decode("utf-8", "replace"),
        look=look.decode("utf-8", "replace"),
    )


def complaint(host: str, exit_code: int, stderr: str, guard: str) -> HostError | None:
    """Why there is no answer to a look, as far as the guard is the reason; `guard` is its protocol and version."""
    protocol, _, version = guard.partition(" ")
    if guard and int(protocol) not in PROTOCOLS:
        known = " and ".join(map(str, sorted(PROTOCOLS)))
        why = f"{host}: its guard ({version}) speaks protocol {protocol}, and this bot {known}."
        return HostError(f"{why} Nothing was sent. {_INSTALL}", code="host_not_ready")
    if guard and exit_code == REFUSED:
        said = clean(stderr.removeprefix(f"{NAME}: "), lines=1, width=_LONGEST_WORDS)
        return HostError(f"{host}: its guard refused the look: {said}.", code="host_not_ready")
    if not guard and exit_code == REFUSED and stderr.startswith(NAME):
        why = f"{host}: its guard is of a version before this bot's oldest."
        return HostError(f"{why} Nothing was sent. {_INSTALL}", code="host_not_ready")
    if not guard and exit_code in _MISSING and NAME in stderr:
        why = f"{host}: its guard, {GUARD}, is missing or cannot be run."
        return HostError(f"{why} Nothing was sent. {_INSTALL}", code="host_not_ready")
    return None
