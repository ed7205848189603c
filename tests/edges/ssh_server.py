"""A real sshd of our own on loopback, with any settings, and a cable to it that can be cut."""

import getpass
import os
import re
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host
from bot.edges.ssh.hosts import SshHosts
from bot.errors import HostError
from config.host_keys import read_public_key
from tests.plugins.fault_table import was_read

NEWKEYS = 21  # RFC 4253, 12
PATIENCE = 10.0
SETTINGS = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
LogLevel DEBUG1
SetEnv HOME={folder}
"""
"""A home of its own: bash(1) would read the .bashrc of this machine at each command."""


def make_key(path: Path, *options: str) -> str:
    """A key pair by ssh-keygen(1); returns the public line."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, *options], check=True)
    return Path(f"{path}.pub").read_text()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what another process does; fails after ten seconds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running sshd, and the inventory's entry for it."""

    folder: Path
    host: Host
    pid: int

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def key_file(self) -> Path:
        return self.folder / "key"

    def logins(self) -> int:
        """How often somebody has logged in."""
        return len(re.findall("Accepted publickey", self.log))


@contextmanager
def sshd(
    folder: Path, *settings: str, name: str = "web-01", address: str = "127.0.0.1", inside: tuple[str, ...] = ()
) -> Iterator[Sshd]:
    """Settings come first, so they win over those above (sshd_config(5)). `inside` is the command that runs it."""
    public = make_key(folder / "host_key")
    (folder / "authorized_keys").write_text(make_key(folder / "key"))
    port = free_port()
    text = "".join(f"{line}\n" for line in settings) + SETTINGS.format(port=port, folder=folder, address=address)
    (folder / "config").write_text(text)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (folder / "log").touch()
    running = subprocess.Popen([*inside, "/usr/sbin/sshd", "-D", "-f", folder / "config", "-E", folder / "log"])
    try:
        pins = frozenset({read_public_key(public)})
        here = Sshd(folder, Host(name, address, port, getpass.getuser(), "test", pins=pins), running.pid)
        eventually(lambda: "Server listening" in here.log)
        yield here
    finally:
        running.terminate()
        running.wait()


def fails(hosts: SshHosts, host: Host) -> HostError:
    """Run a command in vain, and return why."""
    with pytest.raises(HostError) as failed:
        hosts.run(host, ("true",), deadline=10)
    was_read(str(failed.value))
    return failed.value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Cable:
    """Passes bytes between the bot and an sshd until it is told not to."""

    def __init__(self, port: int) -> None:
        self._far = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._relays: list[threading.Thread] = []
        self._turn = threading.Lock()
        self._left: int | None = None  # chunks from the bot that still pass
        self.login_passes = True
        self.heard = 0  # bytes from the host on the newest connection
        self.host_says: int | None = None  # so many bytes of the host pass on a connection, and no more
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """Both sides see the connections end."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def pass_only(self, chunks: int) -> None:
        """Of what the bot says on connections that are open now, only so many chunks pass; nobody sees an end.

        What it said before has passed when this returns, so that it is not counted.
        """
        while True:
            with self._turn:
                if not select.select(self._ends[::2], [], [], 0)[0]:
                    self._left = chunks
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # which ends an accept(2), unlike a close
        self._accepting.join()
        self._listener.close()
        self.cut()
        for relay in self._relays:
            relay.join()
        for end in self._ends:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._left, self.heard = None, 0
                far = socket.create_connection(("127.0.0.1", self._far))
                self._ends += [near, far]
                self._relay(self._from_bot, near, far)
                self._relay(self._from_host, far, near)

    def _relay(self, passing: Callable[[socket.socket, socket.socket], None], *ends: socket.socket) -> None:
        relay = threading.Thread(target=passing, args=ends, daemon=True)
        self._relays.append(relay)
        relay.start()

    def _from_bot(self, near: socket.socket, far: socket.socket) -> None:
        said, passes = b"", True
        with suppress(OSError):
            while True:
                select.select([near], [], [])
                with self._turn:
                    chunk = near.recv(65536)
                    if not chunk:
                        break
                    said += chunk
                    if self._left is not None:
                        passes = passes and self._left > 0
                        self._left -= 1
                    if passes:
                        far.sendall(chunk)
                    if not self.login_passes and _has_new_keys(said):
                        passes = False
            far.shutdown(socket.SHUT_RDWR)

    def _from_host(self, far: socket.socket, near: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while chunk := far.recv(65536):
                room = len(chunk) if self.host_says is None else max(0, self.host_says - passed)
                passed += len(chunk)
                self.heard = passed  # counted before the bot can act on it
                near.sendall(chunk[:room])
            near.shutdown(socket.SHUT_RDWR)


def _has_new_keys(said: bytes) -> bool:
    """Whether the last packet in the clear, NEWKEYS, is among it: each has its length, its padding's, and its type."""
    _, _, packets = said.partition(b"\r\n")
    while len(packets) > 5:
        if packets[5] == NEWKEYS:
            return True
        packets = packets[4 + int.from_bytes(packets[:4], "big") :]
    return False
