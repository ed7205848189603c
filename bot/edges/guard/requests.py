"""The requests on standard input, one on each line, and what a request is."""

import os
import time

from bot.core.systemd.host_rules import LONGEST_LOOK, LOOK_SECONDS
from bot.edges.guard.process import Limit, Refused, poller_of

PROTOCOL = 1
SIZES: "tuple[str, ...]" = ()
DECIDES = ("full", "acting")
"""The sizes of a look that say what root would do, too; neither follows a change."""


_LONGEST_REQUEST, _LONGEST_ID = 16 * 1024, 40
_DIGITS = set("0123456789abcdef")
_OF_ADDRESSES = set("0123456789abcdefABCDEF:.")
_OF_DEVICES = set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-")
_SLOWEST = 5.0  # seconds between the first byte of a request and its last
# Verbs of root with the number of words that follow.
_CHANGES = {
    "check": 1, "probe": 1, "link": 2, "unlink": 3, "unlink-foreign": 3, "stop": 1, "kill": 1, "start": 1,
    "try-start": 1, "reset-failed": 1, "reload": 0, "rules": 0,
}  # fmt: skip
_LOOKS = {"look": 2, "scan": 0, "units": 0, "status": 1}


class NoRequest(Refused):
    """What cannot be a request. Whatever follows it may be a part of it, so the conversation ends."""


class Requests:
    """The lines on standard input, until it ends, nothing has come for `idle` seconds, or `longest` are over."""

    def __init__(self, idle: float, longest: float) -> None:
        self._idle = idle
        self._end = time.monotonic() + longest
        self._read = b""
        self.is_over = False

    def wait(self) -> bool:
        """Wait for the next request; whether one begins."""
        if self._read:
            return True
        seconds = min(self._idle, self._end - time.monotonic())
        return not self.is_over and seconds > 0 and self._is_ready(seconds)

    @property
    def is_unread(self) -> bool:
        """Whether nothing of the next request was taken from standard input yet."""
        return not self._read

    def take(self) -> bytes:
        """The next request; empty at the end. Raises `NoRequest` if it is too long, or too slow."""
        end = time.monotonic() + _SLOWEST
        while b"\n" not in self._read and not self.is_over:
            if len(self._read) > _LONGEST_REQUEST:
                raise NoRequest("the request is too long")
            if not self._is_ready(end - time.monotonic()):
                raise NoRequest("the request did not come in time")
            more = os.read(0, _LONGEST_REQUEST)
            self._read += more
            self.is_over = not more
        line, _, self._read = self._read.partition(b"\n")
        if len(line) > _LONGEST_REQUEST:
            raise NoRequest("the request is too long")
        return line

    @staticmethod
    def _is_ready(seconds: float) -> bool:
        """Whether there is something to read within that time, or the end; not if nobody would read the answer."""
        poller = poller_of(0)
        poller.register(1, 0)
        ready = dict(poller.poll(max(0.0, seconds) * 1000))
        return 0 in ready and 1 not in ready


class Request:
    """One request: words, whose manager it is about, a note for people, and the look that follows a change."""

    def __init__(self, found: "dict[str, object]", identity: str) -> None:
        if found.get("protocol") != PROTOCOL:
            raise Refused(f"it speaks protocol {PROTOCOL}")
        self.id = identity
        self.words = _texts(found.get("do"))
        self.user = _text(found.get("user", ""))
        self.then = _text(found.get("then", ""))  # the size of the look after a change
        Limit.look_seconds = _seconds(found.get("seconds", LOOK_SECONDS))
        self.connection = connection(_text(found.get("connection", "")))
        self.about = _text(found.get("about", ""))  # the unit of that look
        note = found.get("note", {})
        if not isinstance(note, dict) or not all(isinstance(value, str) for value in note.values()):
            raise Refused("the request has no proper note")
        self.note = note  # for people, and cleaned before it is written
        verb = self.words[0] if self.words else ""
        wanted = _CHANGES.get(verb, _LOOKS.get(verb))
        if wanted is None or len(self.words) != wanted + 1:
            raise Refused(f"{verb[:40]!r} is not something that it does")
        if self.then and (self.then not in SIZES or self.then in DECIDES or verb in _LOOKS):
            raise Refused("no such look follows that change")

    @property
    def is_look(self) -> bool:
        """Whether it changes nothing, and the login can do it."""
        return self.verb in _LOOKS

    @property
    def verb(self) -> str:
        """What is asked for."""
        return self.words[0]


def identity_of(found: "dict[str, object]", answered: "set[str]") -> str:
    """The id of a request, which its answer repeats. Raises `NoRequest` for one that was answered already."""
    said = found.get("id")
    if not isinstance(said, str) or not 0 < len(said) <= _LONGEST_ID or not set(said) <= _DIGITS:
        raise NoRequest("the request has no id")
    if said in answered:
        raise NoRequest("that request was answered already")
    answered.add(said)
    return said


def connection(said: str) -> str:
    """The connection that sshd names; empty for anything else than addresses and ports.

    A link-local address comes with its device (`fe80::1%eth0`).
    """
    parts = [word.partition("%") for word in said.split(" ")]
    is_one = all(set(address) <= _OF_ADDRESSES and set(device) <= _OF_DEVICES for address, _, device in parts)
    return said if is_one else ""


def parse(line: bytes) -> "dict[str, object]":
    """A JSON object; the package `json` takes as long to load as Python itself, so its scanner is used alone."""
    try:
        from _json import make_scanner  # noqa: PLC0415
    except ImportError:  # python3-minimal of Debian 11 and 12
        raise NoRequest("the Python of this host has no JSON: install all of it, as the package python3 does") from None
    try:
        text = line.decode()
        found, end = make_scanner(_Strict)(text, 0)  # type: ignore[arg-type]
        if text[end:].strip() or not isinstance(found, dict):
            raise ValueError
    except (ValueError, StopIteration, RecursionError, SystemError):  # the last without the rest of the package `json`
        raise NoRequest("the request is not one JSON object") from None
    return found


class _Strict:
    """What the scanner needs to know (json.JSONDecoder)."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_int = parse_constant = int
    memo: "dict[str, str]" = {}


def _seconds(value: object) -> int:
    if not isinstance(value, int) or not 0 < value <= LONGEST_LOOK:
        raise Refused(f"a look may take from 1 to {LONGEST_LOOK} seconds")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise Refused("the request has something else than a text")
    return value


def _texts(value: object) -> "list[str]":
    if not isinstance(value, list):
        raise Refused("the request has no words")
    return [_text(one) for one in value]
