"""Run commands on hosts over SSH: the one place where a command's words become a line for a shell."""

import shlex
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko

from bot.core.hosts.fingerprint import fingerprint_of
from bot.core.hosts.inventory import Host
from bot.edges import metrics
from bot.edges.ssh.command import CommandOutput, RunningCommand, Size, to_the_end
from bot.edges.ssh.connection import Connection, Keys, connect, reach
from bot.edges.ssh.login import SshLimits, exchange_keys
from bot.edges.ssh.names import Lookup, Names, look_up
from bot.edges.ssh.own_key import OwnKey
from bot.edges.ssh.pool import IdleConnections
from bot.edges.ssh.signer import Signer
from bot.errors import HostError, OutcomeUnknown
from bot.ports import CommandResult

__all__ = ["SshHosts", "SshLimits"]


@dataclass(frozen=True, slots=True)
class _Request:
    """What a command is given, how its answer says where it ends, and for which change it is sent."""

    given: bytes
    size: Size
    change: str


class SshHosts:
    """Runs each command on a connection that it has for itself meanwhile. Safe to use from many threads."""

    def __init__(
        self,
        key_file: Path,
        limits: SshLimits | None = None,
        *,
        signer: Signer | None = None,
        now: Callable[[], float] = time.monotonic,
        lookup: Lookup = look_up,
    ) -> None:
        self.key = OwnKey(key_file)
        self._limits = limits or SshLimits()
        self._signer = signer
        self._now = now
        self._names = Names(lookup)
        self._idle: IdleConnections[Connection] = IdleConnections(
            keep=self._limits.idle, longest=self._limits.lifetime, now=now
        )

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        given: bytes = b"",
        size: Size = to_the_end,
        change: str = "",
    ) -> CommandResult:
        """Run one command within `deadline` seconds of being sent, with `given` on its standard input.

        `change` is the id of the request for which it is sent. With a signer, its login has a certificate with that id,
        and the connection serves no other request.

        If `size` can tell how long its answer is, it goes on, and the next request for the same command is given to it.
        Raises `HostError` if it was certainly not sent, `OutcomeUnknown` if it was and no answer came back.
        """
        ended = self._run(host, argv, deadline, _Request(given, size, change))
        if not isinstance(ended, CommandResult):
            raise ended
        return ended

    def _run(
        self, host: Host, argv: tuple[str, ...], deadline: float, request: _Request
    ) -> CommandResult | HostError | OutcomeUnknown:
        """Run one command. Errors are returned, so that they carry no traceback.

        One keeps the transport and all that was received on it, for as long as somebody keeps the error.
        """
        try:
            connection, command = self._open(host, shlex.join(argv), request.change)
        except HostError as error:
            _forget(error)
            return error
        began = time.monotonic()
        try:
            with metrics.time_ssh("command"):
                limit = self._limits.output
                output = command.ask(request.given, size=request.size, deadline=deadline, limit=limit)
        except OutcomeUnknown as error:
            connection.close()
            _forget(error)
            return OutcomeUnknown(f"{host.name}: {error}.", address=connection.address)
        except BaseException:
            connection.close()
            raise
        if command.goes_on:
            connection.kept = command
        else:
            command.close()
        self._idle.give(host, connection, self._place(request.change))
        return replace(_result(argv, output, began), address=connection.address, ssh=connection.agreed)

    def log_in(self, host: Host) -> None:
        """Log in on a new connection, and open a session there, whatever other connections are open.

        Raises `HostError` if that is not possible.
        """
        connection = connect(host, self._keys(), self._limits, names=self._names, now=self._now)
        try:
            self._channel(host, connection)
        finally:
            connection.close()

    def shown_key(self, host: Host) -> tuple[str, str]:
        """The fingerprint and the kind of the key that a host shows now, whatever is pinned. Raises `HostError`."""
        connection = reach(host, self._keys(), self._limits, names=self._names, now=self._now)
        try:
            exchange_keys(host, connection.transport, connection.wire, self._limits)
            shown = connection.transport.get_remote_server_key()
            return fingerprint_of(shown.asbytes()), shown.get_name()
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._idle.close()

    def _keys(self, change: str = "") -> Keys:
        """What to log in with. Only the signer's certificate is ever shown where there is a signer."""
        signer = self._signer
        if signer is None:
            return lambda _: self.key.current()
        return lambda host: signer.certified(self.key.current(), host, change)

    def _place(self, change: str) -> str:
        """Where idle connections wait: all in one place, or those of each change apart."""
        return change if self._signer else ""

    def _open(self, host: Host, line: str, change: str) -> tuple[Connection, RunningCommand]:
        """A command that waits for a request, or is to be started, on an idle connection or on a new one.

        A connection that turns out to be dead is replaced: nothing was sent on it yet.
        """
        idle = self._idle.take(host, self._place(change))
        if idle is not None:
            try:
                return idle, self._kept(idle, line) or self._command(host, idle, line)
            except HostError:
                pass
        connection = connect(host, self._keys(change), self._limits, names=self._names, now=self._now)
        return connection, self._command(host, connection, line)

    def _kept(self, connection: Connection, line: str) -> RunningCommand | None:
        kept, connection.kept = connection.kept, None
        if kept is None:
            return None
        with metrics.time_ssh("channel"):
            connection.allow_answer(self._limits.output)
            if kept.line == line and kept.is_ready(self._limits.channel):
                return kept
        kept.close()
        return None

    def _command(self, host: Host, connection: Connection, line: str) -> RunningCommand:
        return RunningCommand(self._channel(host, connection), connection.wire, line)

    def _channel(self, host: Host, connection: Connection) -> paramiko.Channel:
        try:
            with metrics.time_ssh("channel"):
                connection.allow_answer(self._limits.output)
                return connection.transport.open_session(timeout=self._limits.channel)
        except BaseException as error:
            connection.close()
            if isinstance(error, paramiko.ChannelException):
                why = f"{host.name}: it refused to open a session. Nothing was sent."
                raise HostError(why, code="ssh_channel_refused", passing=True) from error
            if isinstance(error, (paramiko.SSHException, EOFError, OSError)):
                why = f"{host.name}: it did not open a session. Nothing was sent."
                raise HostError(why, code="ssh_channel_timeout", passing=True) from error
            raise


def _forget(error: BaseException) -> None:
    """Drop where an error came from. Frames keep their variables; the library has the error in one of them."""
    chain: BaseException | None = error
    while chain is not None:
        traceback.clear_frames(chain.__traceback__)
        before = chain.__cause__ or chain.__context__
        chain.__traceback__ = chain.__cause__ = chain.__context__ = None
        chain = before


def _result(argv: tuple[str, ...], output: CommandOutput, began: float) -> CommandResult:
    return CommandResult(
        argv=argv,
        exit_code=output.exit_code,
        stdout=output.stdout.decode("utf-8", "replace"),
        stderr=output.stderr.decode("utf-8", "replace"),
        millis=round((time.monotonic() - began) * 1000),
    )
