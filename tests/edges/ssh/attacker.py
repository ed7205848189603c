"""Hosts that belong to an attacker: what they send is meant to fill the bot's memory."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import paramiko
from paramiko.common import cMSG_CHANNEL_DATA, cMSG_CHANNEL_EXTENDED_DATA, cMSG_GLOBAL_REQUEST

from bot.edges.ssh.bounds import LARGEST_PACKET

Attack = Callable[[socket.socket], None]
CHUNK = bytes(32 * 1024)
PATIENCE = 10.0
MSG_EXT_INFO = b"\x07"


def huge_packet(bot: socket.socket) -> None:
    """A banner, then a packet that says it has 2 GiB, and as much of it as is taken."""
    _forever(bot, b"SSH-2.0-x\r\n" + struct.pack(">I", 0x7FFFFFF4), CHUNK)


def endless_banner(bot: socket.socket) -> None:
    """One line that does not end."""
    _forever(bot, b"SSH-2.0-", b"x" * len(CHUNK))


def endless_lines(bot: socket.socket) -> None:
    """Lines before the banner (RFC 4253, 4.2), each as long as may be, without an end."""
    _forever(bot, b"", b"x" * (len(CHUNK) - 1) + b"\n")


def junk_key_exchange(bot: socket.socket) -> None:
    """A banner, then key exchange messages full of names, each of the largest size that the bot reads."""
    names = b"ab," * 2_000
    message = b"\x14" + bytes(16) + 10 * (struct.pack(">I", len(names)) + names) + bytes(5)
    padding = 8 - (len(message) + 5) % 8 + 8
    packet = struct.pack(">IB", len(message) + padding + 1, padding) + message + bytes(padding)
    assert len(packet) < LARGEST_PACKET
    _forever(bot, b"SSH-2.0-x\r\n", packet)


def endless_ignored(bot: socket.socket) -> None:
    """A banner, then messages that have to be ignored, each with a debug text, without an end."""
    text = b"x" * 30_000
    message = b"\x02" + struct.pack(">I", len(text)) + text
    padding = 8 - (len(message) + 5) % 8 + 8
    _forever(bot, b"SSH-2.0-x\r\n", struct.pack(">IB", len(message) + padding + 1, padding) + message + bytes(padding))


def _forever(bot: socket.socket, first: bytes, then: bytes) -> None:
    bot.sendall(first)
    while True:
        bot.sendall(then)


class _Admits(paramiko.ServerInterface):
    """Lets everybody in, and runs everything."""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL  # type: ignore[attr-defined, no-any-return]

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED  # type: ignore[attr-defined, no-any-return]

    def check_channel_direct_tcpip_request(self, chanid: int, origin: object, destination: object) -> int:
        return paramiko.OPEN_SUCCEEDED  # type: ignore[attr-defined, no-any-return]

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return True


class _AdmitsLate(_Admits):
    """Answers no login before the attacker has sent something else."""

    def __init__(self) -> None:
        self.has_sent = threading.Event()

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.has_sent.wait(PATIENCE)
        return super().check_auth_publickey(username, key)


def endless_output(key: paramiko.PKey, *, on_stderr: bool = False) -> Attack:
    """Lets the bot in, then sends output without an end and without regard for the window of the channel."""

    def attack(bot: socket.socket) -> None:
        transport = paramiko.Transport(bot)
        transport.add_server_key(key)
        transport.start_server(server=_Admits())
        channel = transport.accept(10)
        while channel is not None and transport.is_active():
            message = paramiko.Message()
            message.add_byte(cMSG_CHANNEL_EXTENDED_DATA if on_stderr else cMSG_CHANNEL_DATA)
            message.add_int(channel.remote_chanid)
            if on_stderr:
                message.add_int(1)
            message.add_string(CHUNK)
            transport._send_user_message(message)  # type: ignore[attr-defined]
        transport.close()

    return attack


def _logged_in(bot: socket.socket, key: paramiko.PKey, admits: _Admits | None = None) -> paramiko.Transport:
    """The attacker's side of a connection on which keys were exchanged."""
    transport = paramiko.Transport(bot)
    transport.add_server_key(key)
    transport.start_server(event=(done := threading.Event()), server=admits or _Admits())
    done.wait(PATIENCE)
    return transport


def endless_extensions(key: paramiko.PKey) -> Attack:
    """As soon as keys were exchanged, names four thousand million extensions in nine bytes (RFC 8308, 2.3)."""

    def attack(bot: socket.socket) -> None:
        transport = _logged_in(bot, key, admits := _AdmitsLate())
        message = paramiko.Message()
        message.add_byte(MSG_EXT_INFO)
        message.add_int(0xFFFFFFFF)
        transport._send_message(message)  # type: ignore[attr-defined]
        admits.has_sent.set()
        transport.join()

    return attack


class _HugeKey(paramiko.Ed25519Key):
    """Shows a key of 60 KB; with RSA, as many bytes are worked on for a second."""

    def asbytes(self) -> bytes:
        message = paramiko.Message()
        message.add_string(b"ssh-ed25519")
        message.add_string(bytes(60_000))
        return message.asbytes()


def huge_key(path: Path) -> Attack:
    """Shows a key that is as long as a packet may be."""

    def attack(bot: socket.socket) -> None:
        _logged_in(bot, _HugeKey.from_private_key_file(str(path))).join()

    return attack


def says(key: paramiko.PKey, message: bytes) -> Attack:
    """Lets the bot in, and answers with one message as it is when a session shall be opened."""

    def attack(bot: socket.socket) -> None:
        class Says(_Admits):
            def check_channel_request(self, kind: str, chanid: int) -> int:
                transport._send_message(paramiko.Message(message))  # type: ignore[attr-defined]
                return super().check_channel_request(kind, chanid)

        transport = paramiko.Transport(bot)
        transport.add_server_key(key)
        transport.start_server(event=threading.Event(), server=Says())
        transport.join()

    return attack


class _Deaf:
    """A socket that is not read any more at some time."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self.hears = True

    def recv(self, size: int) -> bytes:
        if not self.hears:
            time.sleep(0.1)
            raise TimeoutError
        return self._inner.recv(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def asks_and_reads_nothing(key: paramiko.PKey) -> Attack:
    """Lets the bot in, then asks for replies (RFC 4254, 4) without an end, and reads none of them."""

    def attack(bot: socket.socket) -> None:
        transport = _logged_in(deaf := cast(Any, _Deaf(bot)), key)
        transport.accept(PATIENCE)
        deaf.hears = False
        message = paramiko.Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("x")
        message.add_byte(b"\x01")
        while transport.is_active():
            transport._send_message(message)  # type: ignore[attr-defined]

    return attack


@contextmanager
def attacking(attack: Attack) -> Iterator[int]:
    """Whoever connects to this port of loopback is attacked, each in a thread."""
    with socket.socket() as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # as far away: loopback holds megabytes unread
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def each(bot: socket.socket) -> None:
            with bot, suppress(OSError, EOFError, paramiko.SSHException):
                attack(bot)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    bot, _ = listener.accept()
                    threading.Thread(target=each, args=(bot,), daemon=True).start()

        accepting = threading.Thread(target=serve, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends an accept(2), unlike a close
            accepting.join()


def server_key(path: Path) -> paramiko.PKey:
    """The attacker's host key, which is pinned: the host was taken over after that."""
    return paramiko.PKey.from_path(path)
