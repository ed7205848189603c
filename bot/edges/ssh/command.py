"""Run one command on an open connection: send it, read both streams, and stop waiting at its deadline."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import paramiko

from bot.edges.deadline import call_after
from bot.edges.ssh.bounds import TooMuch, Wire
from bot.errors import OutcomeUnknown

_CHUNK = 32 * 1024
_EXCEEDED = "the command was sent, then the host sent more than SSH lets it, so the bot closed the connection"


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """A command's output and exit code."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class _Bell(threading.Event):
    """Set by both streams when there is something to read.

    A stream that was read empty must not clear it for the other.
    """

    def clear(self) -> None:
        """Called by the streams."""

    def silence(self) -> None:
        """Called by the reader."""
        super().clear()


Size = Callable[[bytes], int]
"""How long an answer is, by its beginning; 0 while that cannot be told. Raises `ValueError` if it does not say."""


def to_the_end(_: bytes) -> int:
    """The answer goes on to the end of the command."""
    raise ValueError


class RunningCommand:
    """A command on a channel of its own, which is asked once, or again while its answers say how long they are."""

    def __init__(self, channel: paramiko.Channel, wire: Wire, line: str) -> None:
        self.line = line
        self.goes_on = False  # it has answered, and waits for the next request
        self._channel = channel
        self._wire = wire
        self._is_started = False

    def ask(self, given: bytes, *, size: Size, deadline: float, limit: int) -> CommandOutput:
        """Send a request, and return its answer within `deadline` seconds.

        It may have been read, whatever fails: raises `OutcomeUnknown`. A command whose first answer does not say how
        long it is, is not asked again, and the answer is all that it prints.
        """
        end = time.monotonic() + deadline
        is_first, self.goes_on = not self._is_started, False
        self._wire.unread = lambda: len(self._channel.in_buffer) + len(self._channel.in_stderr_buffer)
        try:
            self._send(given, deadline)
            stdout, stderr = self._read(size, end, limit, may_go_on_to_its_end=is_first)
            if self._wire.exceeded:
                raise EOFError
        except (paramiko.SSHException, EOFError, OSError) as error:
            if self._wire.exceeded:  # asked first: the error may be the one with which the wire ended
                raise OutcomeUnknown(_EXCEEDED) from None
            if isinstance(error, TooMuch):
                raise OutcomeUnknown(
                    f"the command was sent and the host answered with more than {limit >> 10} KiB"
                ) from None
            raise _unknown(deadline, end) from None
        except ValueError:
            raise OutcomeUnknown("the command was sent and what came back is not its answer") from None
        if self.goes_on:
            return CommandOutput(0, stdout, stderr)
        if not self._channel.eof_received or not self._channel.status_event.wait(max(0.0, end - time.monotonic())):
            raise _unknown(deadline, end)
        if not is_first:
            raise OutcomeUnknown("the command was sent and ended without an answer")
        if self._channel.exit_status < 0:
            raise OutcomeUnknown("the command was cut off or killed, and did not say how it ended")
        return CommandOutput(self._channel.exit_status, stdout, stderr)

    def _send(self, given: bytes, deadline: float) -> None:
        """Start the command, if that was not done, and write to its standard input.

        Closing the channel does not stop a command on the host (measured), so a deadline ends only our waiting.
        """
        with _closed_at(self._channel, deadline):
            if self._is_started:
                self._channel.sendall(given)
                return
            self._is_started = True
            self._channel.exec_command(self.line)
            with suppress(OSError):  # a command that has ended already reads nothing, and its answer says why
                self._channel.sendall(given)

    def _read(self, size: Size, end: float, limit: int, *, may_go_on_to_its_end: bool) -> tuple[bytes, bytes]:
        """Read both streams as they arrive, to the end of the answer: a stream that is left full stops the command."""
        stdout, stderr = bytearray(), bytearray()
        channel, bell = self._channel, _Bell()
        channel.in_buffer.set_event(bell)
        channel.in_stderr_buffer.set_event(bell)
        while time.monotonic() < end:
            bell.silence()
            over = self._has_ended()
            read = _take(channel.recv_ready, channel.recv, stdout, limit)
            read = _take(channel.recv_stderr_ready, channel.recv_stderr, stderr, limit) or read
            try:
                self.goes_on = _is_whole(stdout, size)
            except ValueError:
                if not may_go_on_to_its_end:
                    raise
                size = _never
                channel.shutdown_write()
            if self.goes_on:
                break
            if not read:
                if over:
                    break
                bell.wait(max(0.0, end - time.monotonic()))
        return bytes(stdout), bytes(stderr)

    def is_ready(self, seconds: float) -> bool:
        """Whether it can be asked again: it has not ended, has said nothing unasked, and its host answers in time.

        That is as certain as a new session would be, and takes no more than one would.
        """
        if self._has_ended() or self._channel.recv_ready():
            return False
        transport = self._channel.get_transport()
        with call_after(seconds, self._wire.close):
            transport.global_request("keepalive@openssh.com", wait=True)
        return bool(transport.is_active()) and not self._has_ended()

    def _has_ended(self) -> bool:
        return bool(self._channel.closed or self._channel.eof_received)

    def close(self) -> None:
        """End it: its standard input ends, and nobody reads what it prints."""
        self.goes_on = False
        self._wire.unread = lambda: 0
        _close(self._channel)


def _is_whole(stdout: bytearray, size: Size) -> bool:
    """Whether all of an answer has come. Raises `ValueError` for more than an answer, too."""
    expected = size(bytes(stdout[:_CHUNK]))
    if expected and len(stdout) > expected:
        raise ValueError
    return 0 < expected == len(stdout)


def _never(_: bytes) -> int:
    return 0


def _unknown(deadline: float, end: float) -> OutcomeUnknown:
    if time.monotonic() >= end:
        return OutcomeUnknown(f"the command was sent and the host did not answer in {deadline:g} s")
    return OutcomeUnknown("the connection was lost after the command was sent")


def _closed_at(channel: paramiko.Channel, seconds: float) -> AbstractContextManager[None]:
    """Close the channel at the deadline: `exec_command` waits for its answer without a limit."""
    return call_after(seconds, lambda: _close(channel))


def _close(channel: paramiko.Channel) -> None:
    """Close the channel, also if its connection breaks at the same moment."""
    with suppress(paramiko.SSHException, EOFError, OSError):
        channel.close()


def _take(ready: Callable[[], bool], receive: Callable[[int], bytes], taken: bytearray, limit: int) -> bool:
    if not ready():
        return False
    taken += receive(_CHUNK)
    if len(taken) > limit:
        raise TooMuch
    return True
