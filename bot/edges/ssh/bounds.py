"""How much a host may send: packets, keys, bytes before the login and for each command; and how soon it has to read."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, cast

import paramiko
from paramiko.packet import Packetizer

LARGEST_PACKET = 64 * 1024  # RFC 4253, 6.1 asks for 35,000; names in a key exchange take twenty times their size
BEFORE_LOGIN = 256 * 1024  # banner, key exchange and login together; an ordinary host needs some 5 KiB
LARGEST_KEY = 16 * 1024  # a host's key or signature; RSA with 16,384 bits has 2 KiB, a certificate some more
MOST_EXTENSIONS = 64  # RFC 8308; OpenSSH names six
WINDOW = 256 * 1024  # RFC 4254, 5.2: what a host may send before it is read; the library does not hold a host to it
_CHUNK = 64 * 1024  # recv(2) gets a buffer of the size that is asked for, and a packet's length is the host's word
_FRAMES = 1024 * 1024  # what an answer has around it: packet headers, MACs, padding, a new key exchange


class TooMuch(paramiko.SSHException):
    """A host has sent more than it may."""


class Wire:
    """The way to a host, a socket or a channel through another host, which fails once the host has sent too much."""

    def __init__(self, inner: socket.socket | paramiko.Channel, *, patience: float = 10.0) -> None:
        """`patience` is how many seconds one packet may take to be sent."""
        self._inner = inner
        self._patience = patience
        self._send_until = 0.0
        self.received = 0  # written by the transport's thread alone
        self.exceeded = False
        self.unread: Callable[[], int] = lambda: 0  # bytes of an answer that arrived and that nobody has read
        self._may_receive = BEFORE_LOGIN
        self._closed = False  # the transport reads this name

    def recv(self, size: int) -> bytes:
        """Receive what is there. A socket acknowledges it at once.

        A delayed acknowledgement meets the other side's Nagle for 40 ms. Linux resets TCP_QUICKACK (tcp(7)), so it is
        set again each time. Measured.
        """
        chunk = self._inner.recv(min(size, _CHUNK))
        self.received += len(chunk)
        if self.received > self._may_receive:
            self.refuse(f"more than {self._may_receive} bytes")
        if self.unread() > 2 * WINDOW:
            self.refuse("more than the window of the channel allows")
        if isinstance(self._inner, socket.socket) and hasattr(socket, "TCP_QUICKACK"):
            self._inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return chunk

    def send(self, data: bytes) -> int:
        """Send what can be sent now; returns how many bytes that was."""
        if time.monotonic() > self._send_until:
            self.close()
            raise ConnectionAbortedError
        return self._inner.send(data)

    def begin_packet(self) -> None:
        """From now on a packet is sent, which has to be over in time.

        A host that asks for replies and does not read them would otherwise hold whoever has anything to send to it,
        also the end of a channel.
        """
        self._send_until = time.monotonic() + self._patience

    def settimeout(self, seconds: float) -> None:
        """Limit how long `recv` and `send` wait."""
        self._inner.settimeout(seconds)

    def close(self) -> None:
        """Close it, and wake up who waits for the host."""
        self._closed = True
        if isinstance(self._inner, socket.socket):
            with suppress(OSError):
                self._inner.shutdown(socket.SHUT_RDWR)
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._inner.close()

    def allow_answer(self, limit: int) -> None:
        """From now on the host may send one answer of `limit` bytes."""
        self._may_receive = self.received + limit + _FRAMES

    def refuse(self, why: str) -> NoReturn:
        """Note that the host has sent too much. Raises `TooMuch`, which ends the transport."""
        self.exceeded = True
        raise TooMuch(why)


class BoundedPackets(Packetizer):
    """Reads no packet that is larger than any real one, before memory is taken for it; sends each in time or not."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(cast(socket.socket, wire))
        self._wire = wire

    def read_all(self, n: int, *args: bool, **named: bool) -> bytes:
        """Read `n` bytes. Every read of a packet comes through here, with the length that the host gave."""
        if n > LARGEST_PACKET:
            self._wire.refuse(f"a packet of {n} bytes")
        return super().read_all(n, *args, **named)

    def write_all(self, out: Any) -> None:
        """Send one packet; every one comes through here. Raises `EOFError` once the connection is over."""
        self._wire.begin_packet()
        super().write_all(out)
