"""The HTTP server ends in order, and connections that ask nothing take it from nobody."""

import socket
import threading
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from wsgiref.types import StartResponse

import pytest
from waitress.trigger import trigger

from bot.core.health import ComponentHealth
from bot.edges.http.server import HttpLimits, Listener
from bot.edges.ops import probes


def test_a_close_that_meets_the_end_of_a_request_writes_to_no_closed_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of waitress wakes the server too, once its request is answered: here, right before ours."""
    server = Listener(lambda _, __: [], ("127.0.0.1", 0), limits=HttpLimits(), threads=1)
    server.open()
    pull = trigger.pull_trigger

    def pull_twice(one: trigger, thunk: Callable[[None], object]) -> None:
        pull(one, thunk)
        for thread in threading.enumerate():
            if thread.name == "http":
                thread.join(timeout=1)  # time enough to end, if it may
        pull(one)

    monkeypatch.setattr(trigger, "pull_trigger", pull_twice)
    server.close()
    assert not server.is_open


def alive() -> Sequence[ComponentHealth]:
    return (ComponentHealth("loop", is_well=True, words="looks for work", vital=True),)


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
def test_many_connections_that_ask_nothing_do_not_silence_a_probe(sent: bytes) -> None:
    """Neither connections without a byte nor those that begin a request and never end it."""
    server = probes.listener(alive, ("127.0.0.1", 0))
    with closing(server), ExitStack() as stack:
        server.open()
        address = ("127.0.0.1", server.port)
        for _ in range(200):
            idle = stack.enter_context(closing(socket.create_connection(address)))
            idle.sendall(sent)
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=20) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://[/healthz",
        b"GET http://[x]y/healthz",
        b"GET http://\xff/",
        b"GET /healthz\r\nContent-Length: " + b"9" * 5000,
    ],
)
def test_what_is_no_address_and_no_number_is_answered_and_fills_no_log(
    head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    line, *header = head.split(b"\r\n")
    server = probes.listener(alive, ("127.0.0.1", 0))
    with closing(server):
        server.open()
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)) as asking:
            asking.sendall(b"\r\n".join([line + b" HTTP/1.1", *header, b"", b""]))
            assert asking.recv(12) == b"HTTP/1.1 400"
    assert caplog.records == []


def test_an_idle_probe_is_closed_within_seconds() -> None:
    server = probes.listener(alive, ("127.0.0.1", 0))
    with closing(server):
        server.open()
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as idle:
            assert idle.recv(1) == b""


def test_a_request_that_came_in_whole_is_never_given_up_for_newer_connections() -> None:
    may_answer, has_begun = threading.Event(), threading.Event()

    def slow(_: object, start: StartResponse) -> list[bytes]:
        has_begun.set()
        may_answer.wait(10)
        start("200 OK", [("Content-Length", "4")])
        return [b"done"]

    server = Listener(slow, ("127.0.0.1", 0), limits=HttpLimits(connections=3), threads=1)
    with closing(server), ExitStack() as stack:
        server.open()
        address = ("127.0.0.1", server.port)
        asking = stack.enter_context(closing(socket.create_connection(address, timeout=10)))
        asking.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert has_begun.wait(10)
        idle = [stack.enter_context(closing(socket.create_connection(address, timeout=10))) for _ in range(6)]
        assert idle[0].recv(1) == b""
        may_answer.set()
        assert asking.recv(1000).startswith(b"HTTP/1.1 200")


def test_nor_is_one_closed_for_others_that_has_only_just_connected() -> None:
    """Whole requests alone fill the server; a probe that comes then has to wait, and is answered."""
    may_answer, has_begun = threading.Event(), threading.Event()

    def slow(_: object, start: StartResponse) -> list[bytes]:
        has_begun.set()
        may_answer.wait(10)
        start("200 OK", [("Content-Length", "4")])
        return [b"done"]

    server = Listener(slow, ("127.0.0.1", 0), limits=HttpLimits(connections=3), threads=1)
    with closing(server), ExitStack() as stack:
        server.open()
        asking = []
        for _ in range(6):
            asking.append(
                stack.enter_context(closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)))
            )
            asking[-1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert has_begun.wait(10)
        may_answer.set()
        assert [one.recv(12) for one in asking] == [b"HTTP/1.1 200"] * 6
