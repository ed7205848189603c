"""Ask the system's own manager for the properties of units, as systemctl does for root: on its private D-Bus socket.

The start of systemctl takes longer than the answer. What is not understood here is left to systemctl.
"""

import _socket
import time
from collections.abc import Iterable
from typing import Any

from bot.edges.guard.process import CHUNK, SECONDS, Limit

PRIVATE_BUS = "/run/systemd/private"
_SILENT_SECONDS = 5.0
_GREETING = b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n"  # uid 0, in hexadecimal of its digits
_INTERFACE = "org.freedesktop.systemd1.Unit"
_FIXED = {"y": 1, "n": 2, "q": 2, "b": 4, "h": 4, "i": 4, "u": 4, "x": 8, "t": 8, "d": 8}
_ALIGNED = {"y": 1, "n": 2, "q": 2, "g": 1, "v": 1, "x": 8, "t": 8, "d": 8, "(": 8, "{": 8}
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_HEADER, _RETURNED, _REPLY_SERIAL, _SIGNATURE, _MOST_SAID = 16, 2, 5, 8, 4 * 1024 * 1024


def properties(units: "list[str]", wanted: "Iterable[str]") -> "list[dict[str, str]]":
    """Those properties of each unit that are texts, lists of them, or yes and no, as systemctl prints them.

    What an older systemd does not have is left out, as by systemctl (247 knows neither Upholds= nor PropagatesStopTo=).
    Raises `OSError`, `ValueError` or `IndexError` if systemd does not say all of that.
    """
    end = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        end.settimeout(_SILENT_SECONDS)
        end.connect(PRIVATE_BUS)
        end.sendall(_GREETING)
        calls = (_get_all(number, _object_of(unit)) for number, unit in enumerate(units, 1))
        reader = _Messages(end)
        end.sendall(b"".join(calls))
        found = [reader.answer(number) for number in range(1, len(units) + 1)]
    finally:
        end.close()
    return [{name: _as_printed(one[name]) for name in wanted if name in one} for one in found]


def _as_printed(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, list):
        raise ValueError("neither a text nor a list")
    return " ".join(str(one).replace("\\", "\\\\") for one in value)


def _object_of(unit: str) -> str:
    """The unit's object: every sign but letters and digits is escaped, and a digit at the beginning."""
    signs = [chr(one) if one in _PLAIN else f"_{one:02x}" for one in unit.encode()]
    if unit[:1].isdigit():
        signs[0] = f"_{ord(unit[0]):02x}"
    return f"/org/freedesktop/systemd1/unit/{''.join(signs)}"


def _get_all(number: int, path: str) -> bytes:
    """A call of GetAll() for one object."""
    body = _marshalled(_INTERFACE)
    fields = b""
    for code, kind, text in (
        (1, "o", path),
        (2, "s", "org.freedesktop.DBus.Properties"),
        (3, "s", "GetAll"),
        (8, "g", "s"),
    ):
        fields += b"\0" * (-len(fields) % 8) + bytes([code, 1, ord(kind), 0])
        fields += bytes([len(text)]) + text.encode() + b"\0" if kind == "g" else _marshalled(text)
    head = b"l\1\0\1" + _uint(len(body)) + _uint(number) + _uint(len(fields))
    return head + fields + b"\0" * (-len(fields) % 8) + body


def _marshalled(text: str) -> bytes:
    return _uint(len(text.encode())) + text.encode() + b"\0"


def _uint(value: int) -> bytes:
    return value.to_bytes(4, "little")


class _Messages:
    """What comes back: the answer to the login in a line, and then messages, with signals among them."""

    def __init__(self, end: "_socket.socket") -> None:
        self._end = end
        self._until = min(time.monotonic() + SECONDS, Limit.end)
        self._read = b""
        while b"\r\n" not in self._read:
            self._more()
        line, _, self._read = self._read.partition(b"\r\n")
        if not line.startswith(b"OK "):
            raise ValueError("systemd does not let us in")

    def _more(self) -> None:
        more = self._end.recv(CHUNK)
        if not more or len(self._read) > _MOST_SAID or time.monotonic() > self._until:
            raise ValueError("systemd ended, or says too much, or for too long")
        self._read += more

    def answer(self, number: int) -> "dict[str, object]":
        """The properties that come as the answer to that call."""
        while True:
            message = self._next()
            if message[0] != ord("l"):
                raise ValueError("another order of bytes")
            length = int.from_bytes(message[12:16], "little")
            fields = Values(message, 12)
            about = {one[0]: one[1] for one in fields.value("a(yv)")}
            if about.get(_REPLY_SERIAL) != number:
                continue
            if message[1] != _RETURNED or about.get(_SIGNATURE) != "a{sv}":
                raise ValueError("systemd does not say it")
            found = Values(message, _HEADER + length + -length % 8).value("a{sv}")
            return dict(found)

    def _next(self) -> bytes:
        """One message, whole."""
        while len(self._read) < _HEADER:
            self._more()
        body, fields = (int.from_bytes(self._read[at : at + 4], "little") for at in (4, 12))
        size = _HEADER + fields + -fields % 8 + body
        while len(self._read) < size:
            self._more()
        message, self._read = self._read[:size], self._read[size:]
        return message


class Values:
    """Values of D-Bus, one after another."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def value(self, kind: str) -> "Any":
        """The next value, of one complete type."""
        first = kind[0]
        self._at += -self._at % _ALIGNED.get(first, 4)
        if first == "b":
            return any(self._bytes(_FIXED[first]))
        if first in _FIXED:
            return int.from_bytes(self._bytes(_FIXED[first]), "little")
        if first in "sog":
            length = int.from_bytes(self._bytes(1 if first == "g" else 4), "little")
            return self._bytes(length + 1)[:-1].decode()
        if first == "v":
            return self.value(self.value("g"))
        if first == "a":
            return self._list(kind[1:])
        if first not in "({" or not kind[1:-1]:
            raise ValueError("not a type that systemd uses")
        return [self.value(one) for one in _complete_types(kind[1:-1])]

    def _list(self, kind: str) -> "list[Any]":
        length = int.from_bytes(self._bytes(4), "little")
        self._at += -self._at % _ALIGNED.get(kind[0], 4)
        end = self._at + length
        found: list[Any] = []
        while self._at < end:
            found.append(self.value(kind))
        return found

    def _bytes(self, count: int) -> bytes:
        self._at += count
        if self._at > len(self._data):
            raise IndexError
        return self._data[self._at - count : self._at]


def _complete_types(kinds: str) -> "list[str]":
    """The complete types of a signature."""
    found, depth, begin = [], 0, 0
    for at, sign in enumerate(kinds):
        depth += (sign in "({") - (sign in ")}")
        if depth == 0 and sign != "a":
            found.append(kinds[begin : at + 1])
            begin = at + 1
    return found
