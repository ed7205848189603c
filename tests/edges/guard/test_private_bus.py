"""What root's half asks on systemd's private socket, beside one that answers otherwise: then systemctl is asked."""

import socket
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
from tests.edges.guard.manager_stand_in import ERROR, OK, SIGNAL, Property, message, said_of


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


Answers = Callable[[socket.socket], None]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], "Asked"]:
    """Sets up a systemd that answers so. Where it does not, it is waited for for a moment only."""
    monkeypatch.setattr(bus, "PRIVATE_BUS", str(tmp_path / "private"))
    monkeypatch.setattr(bus, "_SILENT_SECONDS", 0.2)
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


def test_signals_and_answers_to_others_are_passed_over_however_they_are_cut(asked: Callable[[Answers], Asked]) -> None:
    other = message(said_of({"Id": "other.service"}), 9)
    whole = OK + message(b"", 1, kind=SIGNAL, of="s").replace(b"\5\1u", b"\7\1u") + other + message(said_of(CRON), 1)
    asked(saying(*(whole[at : at + 3] for at in range(0, len(whole), 3))))
    assert properties(["cron.service"], ("Id", "Names")) == [AS_PRINTED]


@pytest.mark.parametrize(
    "answers",
    [
        saying(),
        saying(b"OK"),
        saying(b"REJECTED EXTERNAL\r\n"),
        saying(OK, message(said_of(CRON), 1)[:-1]),
        saying(OK, message(said_of(CRON), 1, order=b"B")),
        saying(OK, message(said_of(CRON), 1, kind=ERROR)),
        saying(OK, message(said_of(CRON), 1, of="a{ss}")),
        saying(OK, message(said_of({"Id": 7}), 1)),
        saying(OK, message(said_of(CRON)[:-9], 1)),
        lambda end: end.shutdown(socket.SHUT_RDWR),
    ],
    ids=["nothing", "half a line", "no", "half", "big end", "error", "other type", "number", "short", "end"],
)
def test_what_is_no_answer_is_left_to_systemctl(asked: Callable[[Answers], Asked], answers: Answers) -> None:
    asked(answers)
    with pytest.raises((OSError, ValueError, IndexError)):
        properties(["cron.service"], ("Id", "Names"))


@pytest.mark.parametrize("bound", ["_MOST_SAID", "SECONDS", "Limit"])
def test_whoever_goes_on_and_on_is_not_listened_to(
    asked: Callable[[Answers], Asked], monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    over = threading.Event()

    def answers(end: socket.socket) -> None:
        while not over.wait(0.001):
            end.sendall(b"x")

    asked(answers)
    bounds: dict[str, object] = {
        "_MOST_SAID": 100,
        "SECONDS": 0.1,
        "Limit": SimpleNamespace(end=time.monotonic() + 0.1),
    }
    monkeypatch.setattr(bus, bound, bounds[bound])
    with pytest.raises(ValueError, match="says too much, or for too long"):
        properties(["cron.service"], ("Id",))
    over.set()
