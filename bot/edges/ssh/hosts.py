"""Run commands on hosts over SSH: the one place where a command's words become a line for a shell."""

import shlex
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import paramiko

from bot.core.hosts.fingerprint import fingerprint_of
from bot.core.hosts.inventory import Host
from bot.edges import metrics
from bot.edges.ssh.command import CommandOutput, run_command
from bot.edges.ssh.connection import Connection, connect, reach
from bot.edges.ssh.login import SshLimits, exchange_keys
from bot.edges.ssh.names import Lookup, Names, look_up
from bot.edges.ssh.own_key import OwnKey
from bot.edges.ssh.pool import IdleConnections
from bot.errors import HostError, OutcomeUnknown
from bot.ports import CommandResult

__all__ = ["SshHosts", "SshLimits"]


class SshHosts:
    """Runs each command on a connection that it has for itself meanwhile. Safe to use from many threads."""

    def __init__(
        self,
        key_file: Path,
        limits: SshLimits | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
        lookup: Lookup = look_up,
    ) -> None:
        self.key = OwnKey(key_file)
        self._limits = limits or SshLimits()
        self._now = now
        self._names = Names(lookup)
        self._idle: IdleConnections[Connection] = IdleConnections(
            keep=self._limits.idle, longest=self._limits.lifetime, now=now
        )

    def run(self, host: Host, argv: tuple[str, ...], *, deadline: float) -> CommandResult:
        """Run one command within `deadline` seconds of being sent.

        Raises `HostError` if it was certainly not sent, `OutcomeUnknown` if it was and no answer came back.
        """
        ended = self._run(host, argv, deadline)
        if not isinstance(ended, CommandResult):
            raise ended
        return ended

    def _run(self, host: Host, argv: tuple[str, ...], deadline: float) -> CommandResult | HostError | OutcomeUnknown:
        """Run one command. Errors are returned, so that they carry no traceback.

        One keeps the transport and all that was received on it, for as long as somebody keeps the error.
        """
        try:
            connection, channel = self._open(host)
        except HostError as error:
            _forget(error)
            return error
        began = time.monotonic()
        try:
            with metrics.time_ssh("command"):
                line, limit = shlex.join(argv), self._limits.output
                output = run_command(channel, connection.wire, line, deadline=deadline, limit=limit)
        except OutcomeUnknown as error:
            connection.close()
            _forget(error)
            return OutcomeUnknown(f"{host.name}: {error}.", address=connection.address)
        except BaseException:
            connection.close()
            raise
        finally:
            channel.close()
        self._idle.give(host, connection)
        return _result(argv, output, began, connection.address)

    def shown_key(self, host: Host) -> tuple[str, str]:
        """The fingerprint and the kind of the key that a host shows now, whatever is pinned. Raises `HostError`."""
        connection = reach(host, self.key.current(), self._limits, names=self._names, now=self._now)
        try:
            exchange_keys(host, connection.transport, connection.wire, self._limits)
            shown = connection.transport.get_remote_server_key()
            return fingerprint_of(shown.asbytes()), shown.get_name()
        finally:
            connection.close()

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._idle.close()

    def _open(self, host: Host) -> tuple[Connection, paramiko.Channel]:
        """A channel on an idle connection, or on a new one if there is none or it turns out to be dead."""
        idle = self._idle.take(host)
        if idle is not None:
            try:
                return idle, self._channel(host, idle)
            except HostError:
                pass  # nothing was sent on it yet
        connection = connect(host, self.key.current(), self._limits, names=self._names, now=self._now)
        return connection, self._channel(host, connection)

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


def _result(argv: tuple[str, ...], output: CommandOutput, began: float, address: str) -> CommandResult:
    return CommandResult(
        argv=argv,
        exit_code=output.exit_code,
        stdout=output.stdout.decode("utf-8", "replace"),
        stderr=output.stderr.decode("utf-8", "replace"),
        millis=round((time.monotonic() - began) * 1000),
        address=address,
    )
