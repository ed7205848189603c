"""Open an SSH connection: each phase has its own time limit, and the host's key is checked before anything is sent."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import paramiko

from bot.core.hosts.inventory import Host
from bot.edges import metrics
from bot.edges.ssh.bounds import Wire
from bot.edges.ssh.login import SshLimits, fail, log_in, new_transport
from bot.edges.ssh.names import Names, Unresolved, connect_to_any

_THREAD_ENDS = 1.0  # it does as soon as its socket is closed


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """A connection to a host."""

    transport: paramiko.Transport
    wire: Wire
    opened: float  # by the clock of the pool
    address: str  # the address that the host's name had, or the one of the inventory

    def close(self) -> None:
        """Close it: an abandoned Transport keeps its thread and its socket for ever (measured)."""
        self.transport.close()
        self.wire.close()
        if self.transport.ident is not None:
            self.transport.join(_THREAD_ENDS)
        self.transport.get_exception()  # its traceback refers to the transport, which refers to it


def connect(
    host: Host,
    key: paramiko.PKey,
    limits: SshLimits,
    *,
    names: Names,
    now: Callable[[], float] = time.monotonic,
) -> Connection:
    """Return a logged-in connection. Raises `HostError`; whatever fails, nothing is left open."""
    opened = now()
    with metrics.time_ssh("connect"):
        wire, address = _reach(host, limits, names)
    try:
        connection = Connection(new_transport(wire, limits), wire, opened, address)
    except BaseException:
        wire.close()
        raise
    try:
        log_in(host, connection.transport, wire, key, limits)
    except BaseException:
        connection.close()
        raise
    return connection


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
    return Wire(connected), connected.getpeername()[0]
