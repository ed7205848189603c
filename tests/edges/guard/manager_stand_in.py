"""A systemd that tests make: it says what they want it to say of units, at a private socket and as a systemctl."""

import re
import socket
import threading
from contextlib import suppress
from pathlib import Path

OK = b"OK 0123456789abcdef\r\n"
RETURNED, ERROR, SIGNAL = 2, 3, 4
Property = str | list[str] | int


def uint(number: int) -> bytes:
    return number.to_bytes(4, "little")


def text(said: str) -> bytes:
    return uint(len(said.encode())) + said.encode() + b"\0"


def signature(kind: str) -> bytes:
    return bytes([len(kind)]) + kind.encode() + b"\0"


def padded(data: bytes, to: int) -> bytes:
    return data + bytes(-len(data) % to)


def message(body: bytes, number: int, *, kind: int = RETURNED, of: str = "a{sv}", order: bytes = b"l") -> bytes:
    """A message as systemd sends it: the fields say which call it answers, and of what type the body is."""
    fields = bytes([5]) + signature("u") + uint(number)
    fields = padded(fields, 8) + bytes([8]) + signature("g") + signature(of)
    head = order + bytes([kind, 0, 1]) + uint(len(body)) + uint(77) + uint(len(fields))
    return padded(head + fields, 8) + body


def said_of(unit: dict[str, Property]) -> bytes:
    """The body of an answer."""
    entries = b""
    for name, value in unit.items():
        entries = padded(entries, 8) + text(name)
        match value:
            case str():
                entries = padded(entries + signature("s"), 4) + text(value)
            case bool():
                entries = padded(entries + signature("b"), 4) + uint(value)
            case int():
                entries = padded(entries + signature("u"), 4) + uint(value)
            case _:
                words = b""
                for word in value:
                    words = padded(words, 4) + text(word)
                entries = padded(entries + signature("as"), 4) + uint(len(words)) + words
    return padded(uint(len(entries)), 8) + entries


_UNIT = rb"\x01\x01o\x00.{4}/org/freedesktop/systemd1/unit/(\w+)\x00"
_CALL = re.compile(rb"l\x01\x00\x01.{4}(.{4}).{4}" + _UNIT + rb".*?systemd1\.Unit\x00", re.DOTALL)


class Systemd:
    """Knows these units, by their Id=, and was asked for those."""

    def __init__(self, path: Path) -> None:
        self.units: dict[str, dict[str, Property]] = {}
        self.asked: list[str] = []
        self.left_out = 0  # so many bytes of each answer
        self._ids: dict[str, str] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def has(self, unit: str, state: str = "active", *names: str, **more: Property) -> None:
        """Make a unit known, or change it, with its further names; it is loaded, unless more says otherwise."""
        self._ids |= dict.fromkeys(names, unit)
        self.units[unit] = {"Id": unit, "Names": [unit, *names], "LoadState": "loaded", "ActiveState": state, **more}

    def end(self) -> None:
        """Not to be asked any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                with self._listener.accept()[0] as end, suppress(OSError):
                    self._answer(end)

    def _answer(self, end: socket.socket) -> None:
        end.sendall(OK)
        read = b""
        while more := end.recv(65536):
            read += more
            while call := _CALL.search(read):
                unit = re.sub("_([0-9a-f]{2})", lambda sign: chr(int(sign[1], 16)), call[2].decode())
                self.asked.append(unit)
                said = said_of(self._of(unit))
                end.sendall(message(said[: len(said) - self.left_out], int.from_bytes(call[1], "little")))
                read = read[call.end() :]

    def _of(self, unit: str) -> dict[str, Property]:
        found = self.units.get(self._ids.get(unit, unit))
        return found or {"Id": unit, "Names": [unit], "LoadState": "not-found", "ActiveState": "inactive"}


_SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>"$0.asked"
for word; do case $word in -*) ;; *) break ;; esac done
cat "$0.$word"
exit $(cat "$0.$word.code")
"""


class Systemctl:
    """A program that says this to each of its verbs, and nothing yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text(_SYSTEMCTL)
        path.chmod(0o755)

    def says(self, verb: str, said: str, code: int = 0) -> None:
        """From now on."""
        self.path.with_name(f"{self.path.name}.{verb}").write_text(said)
        self.path.with_name(f"{self.path.name}.{verb}.code").write_text(str(code))

    @property
    def asked(self) -> list[str]:
        """The words of each call."""
        path = self.path.with_name(f"{self.path.name}.asked")
        return path.read_text().splitlines() if path.exists() else []
