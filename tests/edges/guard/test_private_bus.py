"""What root's half asks on systemd's private socket, beside one that answers otherwise: then systemctl is asked."""

import fcntl
import socket
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.edges.guard import bus
from bot.edges.guard.bus import Values, properties
from bot.edges.guard.process import begin_request
from tests.edges.guard.manager_stand_in import ERROR, OK, SIGNAL, Property, message, padded, said_of, uint


class Asked:
    """What came to the socket, until its other end was closed."""

    def __init__(self) -> None:
        self.read = b""
        self.is_over = threading.Event()

    @property
    def greeting(self) -> bytes:
        return self.read[: self.read.index(b"BEGIN\r\n") + 7]

    def calls(self) -> Iterator[tuple[int, dict[int, str], str]]:
        """Number, fields and body of each call, read as D-Bus has it."""
        left = self.read[len(self.greeting) :]
        while left:
            assert left[:4] == b"l\1\0\1"
            body, number, length = (int.from_bytes(left[at : at + 4], "little") for at in (4, 8, 12))
            fields = {one[0]: one[1] for one in Values(left[: 16 + length], 12).value("a(yv)")}
            at = 16 + length + -length % 8
            yield number, fields, Values(left[at : at + body], 0).value("s")
            left = left[at + body :]


Answers = Callable[[socket.socket], object]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], "Asked"]:
    """Sets up a systemd that answers so."""
    monkeypatch.setattr(bus, "PRIVATE_BUS", str(tmp_path / "private"))
    begin_request()

    def set_up(answers: Answers) -> Asked:
        ours, listener = Asked(), socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "private"))
        listener.listen()

        def serve() -> None:
            with listener, listener.accept()[0] as end, suppress(OSError):
                answers(end)
                while more := end.recv(65536):
                    ours.read += more
                ours.is_over.set()

        threading.Thread(target=serve, daemon=True).start()
        return ours

    return set_up


def saying(*parts: bytes) -> Answers:
    def answers(end: socket.socket) -> None:
        for part in parts:
            end.sendall(part)

    return answers


CRON: dict[str, Property] = {"Id": "cron.service", "Names": ["cron.service", r"c\x2dn.service"], "Timeout": 90}
AS_PRINTED = {"Id": "cron.service", "Names": r"cron.service c\\x2dn.service"}


def test_each_unit_is_asked_for_at_its_own_object(asked: Callable[[Answers], Asked]) -> None:
    there = asked(saying(OK, message(said_of(CRON), 1), message(said_of({"Id": "9.socket"}), 2)))
    assert properties(["c-ron.service", "9.socket"], ("Id", "Names", "Upholds")) == [AS_PRINTED, {"Id": "9.socket"}]
    assert there.is_over.wait(10)
    assert there.greeting == b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n"
    fields = {2: "org.freedesktop.DBus.Properties", 3: "GetAll", 8: "s"}
    paths = ("c_2dron_2eservice", "_39_2esocket")
    assert [*there.calls()] == [
        (number, {1: f"/org/freedesktop/systemd1/unit/{path}", **fields}, "org.freedesktop.systemd1.Unit")
        for number, path in enumerate(paths, 1)
    ]


@pytest.mark.parametrize("at_once", [1, 3, 65536])
def test_signals_and_answers_to_others_are_passed_over_however_they_are_cut(
    asked: Callable[[Answers], Asked], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(bus, "CHUNK", at_once)
    other = message(said_of({"Id": "other.service"}), 9)
    whole = OK + message(b"", 1, kind=SIGNAL, of="s").replace(b"\5\1u", b"\7\1u") + other + message(said_of(CRON), 1)
    asked(saying(whole))
    assert properties(["cron.service"], ("Id", "Names")) == [AS_PRINTED]


@pytest.mark.parametrize(
    "answers",
    [
        saying(),
        saying(b"OK"),
        saying(b"REJECTED EXTERNAL\r\n", message(said_of(CRON), 1)),
        saying(OK, message(said_of(CRON), 1)[:-1]),
        saying(OK, message(said_of(CRON), 1, order=b"B")),
        saying(OK, message(said_of(CRON), 1, kind=ERROR)),
        saying(OK, message(said_of(CRON), 1, of="a{ss}")),
        saying(OK, message(said_of({"Id": 7}), 1)),
        saying(OK, message(said_of(CRON)[:-9], 1)),
        lambda end: end.shutdown(socket.SHUT_RDWR),
        lambda end: [end.recv(100), end.sendall(OK), end.shutdown(socket.SHUT_WR)],
    ],
    ids=[
        "nothing",
        "half a line",
        "no",
        "half",
        "big end",
        "error",
        "other type",
        "number",
        "short",
        "end",
        "late end",
    ],
)
def test_what_is_no_answer_is_left_to_systemctl(
    asked: Callable[[Answers], Asked], monkeypatch: pytest.MonkeyPatch, answers: Answers
) -> None:
    monkeypatch.setattr(bus, "_SILENT_SECONDS", 0.2)
    asked(answers)
    with pytest.raises((OSError, ValueError, IndexError)):
        properties(["cron.service"], ("Id", "Names"))


@pytest.mark.parametrize("bound", ["SECONDS", "Limit"])
def test_whoever_goes_on_for_too_long_is_not_listened_to(
    asked: Callable[[Answers], Asked], monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    asked(saying(OK, message(said_of(CRON), 1)))
    monkeypatch.setattr(bus, bound, -1.0 if bound == "SECONDS" else SimpleNamespace(end=time.monotonic() - 1))
    with pytest.raises(ValueError, match="says too much, or for too long"):
        properties(["cron.service"], ("Id",))


@pytest.mark.parametrize(("more", "seconds", "why"), [(0, 0.2, TimeoutError), (1, 5.0, ValueError)])
def test_whoever_says_too_much_is_not_listened_to(
    asked: Callable[[Answers], Asked],
    monkeypatch: pytest.MonkeyPatch,
    more: int,
    seconds: float,
    why: type[Exception],
) -> None:
    monkeypatch.setattr(bus, "_SILENT_SECONDS", seconds)

    def answers(end: socket.socket) -> None:
        end.sendall(b"x" * (4 * 1024 * 1024 + more))
        while int.from_bytes(fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4)), "little"):
            pass  # until it is read
        end.sendall(b"x")

    asked(answers)
    with pytest.raises(why):
        properties(["cron.service"], ("Id",))


FIXED = [("y", 1), ("n", 2), ("q", 2), ("h", 4), ("i", 4), ("u", 4), ("x", 8), ("t", 8), ("d", 8)]


@pytest.mark.parametrize(("kind", "size"), FIXED)
def test_a_number_is_as_long_as_its_type_and_stands_at_a_multiple_of_that(kind: str, size: int) -> None:
    number = bytes(range(2, size + 2))
    data = padded(b"\1", size) + number + b"\x63"
    assert Values(data, 0).value(f"(y{kind}y)") == [1, int.from_bytes(number, "little"), 99]
    array = padded(b"\1\0\0\0" + uint(2 * size), size) + 2 * number + b"\x63"
    assert Values(array, 0).value(f"(ya{kind}y)") == [1, 2 * [int.from_bytes(number, "little")], 99]


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("(ysy)", b"\1\0\0\0\2\0\0\0ab\0\x63", [1, "ab", 99]),
        ("(yby)", b"\1\0\0\0\1\0\0\0\x63", [1, True, 99]),
        ("(yaby)", b"\1\0\0\0\4\0\0\0\0\0\0\0\x63", [1, [False], 99]),
        ("(yoy)", b"\1\0\0\0\2\0\0\0/b\0\x63", [1, "/b", 99]),
        ("(ygy)", b"\1\2ab\0\x63", [1, "ab", 99]),
        ("(yvy)", b"\1\1y\0\7\x63", [1, 7, 99]),
        ("(y(y)y)", b"\1\0\0\0\0\0\0\0\7\x63", [1, [7], 99]),
        ("(y(yy)ayy)", b"\1\0\0\0\0\0\0\0\7\x08\0\0\2\0\0\0\5\6\x63", [1, [7, 8], [5, 6], 99]),
        ("(ya{y(yy)}y)", b"\1\0\0\0\x0a\0\0\0\7\0\0\0\0\0\0\0\x08\x09\x63", [1, [[7, [8, 9]]], 99]),
        ("(ya(y)y)", b"\1\0\0\0\0\0\0\0\x63", [1, [], 99]),
        ("(yaayy)", b"\1\0\0\0\x0d\0\0\0\1\0\0\0\7\0\0\0\1\0\0\0\x08\x63", [1, [[7], [8]], 99]),
        ("(uua(y)y)", uint(1) + uint(2) + uint(0) + uint(0) + b"\x63", [1, 2, [], 99]),
        ("(yasy)", b"\1\0\0\0\0\0\0\0\x63", [1, [], 99]),
    ],
)
def test_other_values_stand_where_their_type_has_them(kind: str, data: bytes, value: object) -> None:
    assert Values(data, 0).value(kind) == value


@pytest.mark.parametrize("kind", ["z", "zyz", "()", "{}", ")", "(z)"])
def test_what_is_no_type_has_no_value(kind: str) -> None:
    with pytest.raises(ValueError, match="not a type that systemd uses"):
        Values(bytes(99), 0).value(kind)
