"""A syslog receiver on this machine: it keeps what it reads, and is stopped, deaf or slow as a test wants it to be."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

_FRAME = re.compile(rb"(\d+) ")


@dataclass(slots=True)
class LogReceiver:
    """What has arrived, one entry a message. It reads while `reads` is set."""

    address: str = ""
    lines: list[str] = field(default_factory=list)
    deliveries: int = 0
    reads: threading.Event = field(default_factory=threading.Event)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the records, as they came."""
        return [int(found[1]) for line in list(self.lines) if (found := re.search(r'seq="(\d+)"', line))]

    def take(self, stream: bytes) -> None:
        """Take a stream of frames apart."""
        self.deliveries += 1
        while frame := _FRAME.match(stream):
            end = frame.end() + int(frame[1])
            assert len(stream) >= end, "a frame that is not whole"
            self.lines.append(stream[frame.end() : end].decode("ascii"))
            stream = stream[end:]
        assert not stream


@dataclass
class LogServer:
    """Takes connections, each read by a thread of its own."""

    listener: socket.socket
    receiver: LogReceiver
    ended: threading.Event = field(default_factory=threading.Event)
    connected: list[socket.socket] = field(default_factory=list)

    def serve(self) -> None:
        """Until it is closed."""
        while not self.ended.is_set():
            try:
                one, _ = self.listener.accept()
            except OSError:  # somebody did not like our certificate, or it is closed
                continue
            self.connected.append(one)
            threading.Thread(target=self.read, args=(one,), daemon=True).start()

    def read(self, one: socket.socket) -> None:
        """To its end."""
        with closing(one), suppress(OSError):
            stream = b""
            while self.receiver.reads.wait() and (part := one.recv(65536)):
                stream += part
            if not self.ended.is_set():
                self.receiver.take(stream)

    def close(self) -> None:
        """And whatever came in through it."""
        self.ended.set()
        for one in (self.listener, *self.connected):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.receiver.reads.set()


@contextmanager
def listening(listener: socket.socket, address: str) -> Iterator[LogReceiver]:
    """A receiver for as long as this lasts."""
    receiver = LogReceiver(address)
    receiver.reads.set()
    with _served(listener, receiver):
        yield receiver


@contextmanager
def _served(listener: socket.socket, receiver: LogReceiver) -> Iterator[None]:
    opened = LogServer(listener, receiver)
    thread = threading.Thread(target=opened.serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        opened.close()
        thread.join()


class Stoppable:
    """A receiver on loopback that goes away and comes back."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._port = 0
        self.receiver = LogReceiver()

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def begin(self) -> None:
        """Listen, where it listened before."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self.receiver.address = f"tcp://127.0.0.1:{self._port}"
        self.receiver.reads.set()
        self._stack.enter_context(_served(listener, self.receiver))

    def stop(self) -> None:
        """Nobody listens there any more."""
        self._stack.close()


@contextmanager
def tcp() -> Iterator[LogReceiver]:
    """One that listens on loopback."""
    with Stoppable() as one:
        yield one.receiver
