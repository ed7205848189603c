"""Open an SSH connection: each phase has its own time limit, and the host's key is checked before anything is sent."""

import math
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import paramiko

from bot.core.hosts.inventory import Host
from bot.edges import metrics
from bot.edges.ssh.bounds import BEFORE_LOGIN, Wire
from bot.edges.ssh.certificate import seconds_left, shown_with
from bot.edges.ssh.command import RunningCommand
from bot.edges.ssh.login import ClientTransport, SshLimits, agreed, authenticate, check_host, fail, new_transport
from bot.edges.ssh.names import Names, Unresolved, connect_to_any
from bot.errors import HostError

_PROHIBITED = 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1)
_REFER_BACK = ("_handler_table", "auth_handler", "kex_engine")
_THREAD_ENDS = 1.0  # it does as soon as its socket is closed

Keys = Callable[[Host], paramiko.PKey]
"""The key to log in to a host with, and its certificate. Raises `HostError` if there is none."""


@dataclass(slots=True, eq=False)
class Connection:
    """A connection to a host."""

    transport: ClientTransport
    wire: Wire
    opened: float  # by the clock of the pool
    address: str  # the address that the host's name had, or the one of the inventory
    below: "Connection | None" = None  # to the host through which this one is reached
    kept: RunningCommand | None = None  # which waits for its next request
    agreed: str = ""  # the algorithms, once logged in
    ends: float = math.inf  # when a certificate that it was opened with is over, by the clock of the pool

    def allow_answer(self, limit: int) -> None:
        """From now on the host may send one answer of `limit` bytes; on the hosts between it has more around it."""
        self.wire.allow_answer(limit)
        if self.below is not None:
            self.below.allow_answer(2 * limit)

    def close(self) -> None:
        """Close it: an abandoned Transport keeps its thread and its socket for ever (measured)."""
        self.wire.unread = lambda: 0  # it refers to a channel
        self.kept = None
        self.transport.close()
        self.wire.close()
        if self.transport.ident is not None:
            self.transport.join(_THREAD_ENDS)
        self.transport.get_exception()  # its traceback refers to the transport, which refers to it
        if not self.transport.is_alive():
            # They refer to the transport as well, and what it has received would be kept until the collector comes.
            vars(self.transport).update(dict.fromkeys(_REFER_BACK))
        if self.below is not None:
            self.below.close()


def connect(
    host: Host,
    keys: Keys,
    limits: SshLimits,
    *,
    names: Names,
    now: Callable[[], float] = time.monotonic,
) -> Connection:
    """Return a logged-in connection. Raises `HostError`; whatever fails, nothing is left open.

    The key is asked for once the host has shown its own.
    """
    if not host.trusted:
        fail(host, "ssh_no_pin", "no key of it is pinned, so the bot does not connect to it")
    connection = reach(host, keys, limits, names=names, now=now)
    try:
        check_host(host, connection.transport, connection.wire, limits)
        key = keys(host)
        authenticate(host, connection.transport, connection.wire, key, limits)
    except BaseException:
        connection.close()
        if connection.below is not None:
            _check_hop(host, connection.below)
        raise
    connection.agreed = agreed(connection.transport) + shown_with(key)
    below = connection.below.ends if connection.below else math.inf
    connection.ends = min(below, now() + seconds_left(key, datetime.now(UTC)))
    return connection


def reach(
    host: Host, keys: Keys, limits: SshLimits, *, names: Names, now: Callable[[], float] = time.monotonic
) -> Connection:
    """Return a connection to the host on which nothing has been sent. The keys are for the hosts on the way to it."""
    opened = now()
    below = _connect_hop(host, host.via, keys, limits, names=names, now=now) if host.via else None
    wire: Wire | None = None
    try:
        with metrics.time_ssh("connect"):
            wire, address = _reach_through(host, below, limits) if below else _reach(host, limits, names)
        return Connection(new_transport(host, wire, limits), wire, opened, address, below)
    except BaseException:
        for one in (wire, below):
            if one is not None:
                one.close()
        raise


def _connect_hop(
    host: Host, hop: Host, keys: Keys, limits: SshLimits, *, names: Names, now: Callable[[], float]
) -> Connection:
    """Connect to the host on the way. Errors name both, and the code says what is wrong with the one on the way."""
    try:
        return connect(hop, keys, limits, names=names, now=now)
    except HostError as error:
        why = f"{host.name}: cannot be reached through {error}"
        failed = HostError(why, code=error.code, passing=error.passing, hop=error.hop or hop.name)
        for note in getattr(error, "__notes__", ()):
            failed.add_note(note)
        raise failed from None


def _reach_through(host: Host, below: Connection, limits: SshLimits) -> tuple[Wire, str]:
    """A channel through the host on the way, which also resolves a name, and where it leads to."""
    hop = host.via.name if host.via else ""
    below.allow_answer(2 * BEFORE_LOGIN)
    try:
        channel = below.transport.open_channel(
            "direct-tcpip", (host.address, host.port), ("127.0.0.1", 0), timeout=limits.connect
        )
    except paramiko.ChannelException as error:
        if error.code == _PROHIBITED:
            fail(host, "ssh_jump_refused", f"{hop} does not let the bot connect to other hosts")
        fail(host, "ssh_unreachable", f"{hop} cannot connect to it", passing=True)
    except (paramiko.SSHException, EOFError, OSError):
        _check_hop(host, below)
        fail(host, "ssh_connect_timeout", f"{hop} did not connect to it in time", passing=True)
    below.wire.unread = lambda: len(channel.in_buffer) + len(channel.in_stderr_buffer)
    return Wire(channel, patience=limits.channel), f"{host.address} via {below.address}"


def _check_hop(host: Host, below: Connection) -> None:
    if host.via and below.wire.exceeded:
        fail(host, "ssh_too_much", f"{host.via.name} sent more than it may, so the bot closed the connection")


def _reach(host: Host, limits: SshLimits, names: Names) -> tuple[Wire, str]:
    """A way to the host, and the address that it leads to."""
    try:
        addresses = names.addresses(host.address, seconds=limits.resolve)
    except Unresolved as error:
        fail(host, "ssh_unresolved", f"its address {host.address} did not resolve ({error})", passing=True)
    try:
        connected = connect_to_any(addresses, host.port, seconds=limits.connect)
    except ConnectionRefusedError:
        fail(host, "ssh_refused", "connection refused", passing=True)
    except TimeoutError:
        fail(host, "ssh_connect_timeout", "timed out at connect", passing=True)
    except OSError as error:
        fail(host, "ssh_unreachable", f"cannot be reached ({error.strerror or 'no such address'})", passing=True)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Wire(connected, patience=limits.channel), connected.getpeername()[0]
