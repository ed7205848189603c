"""The command line's socket: the kernel says who calls, and nobody can take it from the others."""

import json
import os
import pwd
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bot.edges.cli_socket.client import NobodyThere, Words, call
from bot.edges.cli_socket.server import CallLimits, Serve, ShellServer
from bot.errors import ConfigError

ME = pwd.getpwuid(os.getuid()).pw_name
NOBODY = 65534
LIMITS = CallLimits()


def echo(words: Words, user: str) -> Iterator[Words]:
    yield {"event": "heard", "words": words, "user": user}
    yield {"event": "end", "text": "", "exit": 0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "maskbot.sock"


def serving(path: Path, serve: Serve, limits: CallLimits = LIMITS) -> closing[ShellServer]:
    server = ShellServer(path, serve, limits=limits)
    server.start()
    return closing(server)


def exchange(path: Path, raw: bytes) -> list[dict[str, Any]]:
    """Send these bytes and hear all there is to say."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as lines:
            return [json.loads(line) for line in lines]


def test_the_caller_is_who_the_kernel_says_and_not_who_they_say_they_are(path: Path) -> None:
    with serving(path, echo):
        heard, *_ = call(path, {"do": "state", "user": "somebody-else"})

    assert heard["user"] == ME


def test_everybody_may_open_the_socket_for_rights_come_from_who_they_are(path: Path) -> None:
    with serving(path, echo):
        assert path.stat().st_mode & 0o777 == 0o666


def test_where_no_bot_runs_a_sentence_says_how_to_start_one(path: Path) -> None:
    with pytest.raises(NobodyThere, match="maskbot run"):
        list(call(path, {"do": "state"}))


def test_nothing_is_left_of_the_socket_when_the_bot_has_ended(path: Path) -> None:
    with serving(path, echo):
        assert path.exists()

    assert not path.exists()


def test_the_socket_of_a_killed_bot_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))

    with serving(path, echo):
        assert [words["event"] for words in call(path, {})][:2] == ["heard", "end"]


def test_a_socket_on_which_another_bot_answers_is_not_taken_from_it(path: Path) -> None:
    with serving(path, echo), pytest.raises(ConfigError, match="Another bot"):
        ShellServer(path, echo)


def test_a_file_that_is_no_socket_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("precious")

    with pytest.raises(ConfigError, match="is not a socket"):
        ShellServer(path, echo)

    assert path.read_text() == "precious"


UNTOLD = (b"", b"\n", b"[]\n", b'"x"\n', b"{", b"\xff\xfe\n", b"x" * 16_000, b"[" * 16_000)


@pytest.mark.parametrize("raw", [*UNTOLD, b'{"id": "\\ud800"}\n', b'{"id": "\\u0000"}\n'])
def test_bytes_that_are_no_words_are_heard_as_no_words(path: Path, raw: bytes) -> None:
    with serving(path, echo):
        heard, *_ = exchange(path, raw)

    assert heard["words"] == {}


def test_a_mistake_of_ours_is_a_sentence_for_the_caller_and_not_a_traceback(path: Path) -> None:
    def broken(_: Words, __: str) -> Iterator[Words]:
        yield {"event": "beat"}
        raise RuntimeError("xoxb-very-secret")

    with serving(path, broken):
        *_, last = exchange(path, b"{}\n")

    assert last == {"event": "end", "text": "Something went wrong in the bot. The error is in its log.", "exit": 1}


def test_who_waits_hears_that_the_bot_has_ended(path: Path) -> None:
    asked, forever = threading.Event(), threading.Event()

    def waiting(_: Words, __: str) -> Iterator[Words]:
        yield {"event": "beat"}
        asked.set()
        forever.wait()

    told: list[Words] = []
    with serving(path, waiting):
        caller = threading.Thread(target=lambda: told.extend(call(path, {})))
        caller.start()
        assert asked.wait(10)
    caller.join(10)
    forever.set()

    assert told[-1]["exit"] == 1
    assert "continue when it runs again" in told[-1]["text"]


def test_one_user_cannot_fill_the_socket_with_calls_that_never_end(path: Path) -> None:
    forever, open_calls = threading.Event(), threading.Semaphore(0)

    def waiting(_: Words, __: str) -> Iterator[Words]:
        yield {"event": "beat"}
        open_calls.release()
        forever.wait()

    with serving(path, waiting):
        callers = [threading.Thread(target=lambda: list(call(path, {})), daemon=True) for _ in range(16)]
        for caller in callers:
            caller.start()
        for _ in callers:
            assert open_calls.acquire(timeout=10)

        (refused, *_) = call(path, {})

    forever.set()
    assert "You have too many open calls" in refused["text"]


@contextmanager
def somebody_else() -> Iterator[None]:
    """Connect as another operating-system user: the kernel notes who that is when a socket is connected."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A socket that other users reach too, unlike those in pytest's own folders."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "maskbot.sock"


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    connection.settimeout(10)
    return connection


def call_threads() -> set[threading.Thread]:
    """Threads that serve a call, whoever started others in this process."""
    return {thread for thread in threading.enumerate() if "process_request_thread" in thread.name}


def test_whoever_only_connects_holds_a_few_threads_and_others_are_served(open_path: Path) -> None:
    with serving(open_path, echo, CallLimits(patience=60)), ExitStack() as stack:
        before = call_threads()
        with somebody_else():
            idle = [stack.enter_context(closing(connected(open_path))) for _ in range(200)]
        last = json.loads(idle[-1].recv(1000))
        heard, *_ = call(open_path, {"do": "state"})

        assert "You have too many open calls (16)" in last["text"]
        assert 16 <= len(call_threads() - before) <= 16 + 1
        assert heard["user"] == ME


def test_many_users_together_are_refused_and_the_operator_is_not(open_path: Path) -> None:
    few = CallLimits(at_once=3)
    with serving(open_path, echo, few), ExitStack() as stack:
        with somebody_else():
            idle = [stack.enter_context(closing(connected(open_path))) for _ in range(4)]

        assert "The bot serves 3 calls already" in json.loads(idle[-1].recv(1000))["text"]
        assert next(iter(call(open_path, {"do": "state"})))["user"] == ME


def test_a_refused_caller_is_told_so_and_has_a_place_again_when_a_call_ends(open_path: Path) -> None:
    with serving(open_path, echo, CallLimits(per_user=1)):
        with closing(connected(open_path)):
            (refused, *_) = call(open_path, {"do": "state"})
        assert "too many open calls (1)" in refused["text"]
        deadline = time.monotonic() + 10
        while (told := next(iter(call(open_path, {"do": "state"}))))["event"] != "heard":
            assert time.monotonic() < deadline, told


def test_a_command_that_drips_in_has_one_time_for_all_of_it(path: Path) -> None:
    with serving(path, echo, CallLimits(patience=0.3)), closing(connected(path)) as slow:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < began + 60:
                slow.send(b"x")
                time.sleep(0.05)
        took = time.monotonic() - began
        told = json.loads(slow.recv(1000))

    assert took < 30
    assert told["text"] == "No command came within 0.3 s."
