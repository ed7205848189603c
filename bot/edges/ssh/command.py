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


def run_command(channel: paramiko.Channel, wire: Wire, command: str, *, deadline: float, limit: int) -> CommandOutput:
    """Run one command within `deadline` seconds. It may have run, whatever fails: raises `OutcomeUnknown`.

    Closing the channel does not stop a command on the host (measured), so a deadline ends only our waiting.
    """
    end = time.monotonic() + deadline
    wire.unread = lambda: len(channel.in_buffer) + len(channel.in_stderr_buffer)
    try:
        with _closed_at(channel, deadline):
            channel.exec_command(command)
        channel.shutdown_write()
        stdout, stderr = _drain(channel, end, limit)
        if wire.exceeded:
            raise TooMuch
    except (paramiko.SSHException, EOFError, OSError) as error:
        if wire.exceeded or isinstance(error, TooMuch):
            raise OutcomeUnknown(
                f"the command was sent and the host answered with more than {limit >> 10} KiB"
            ) from None
        raise _unknown(deadline, end) from None
    finally:
        wire.unread = lambda: 0
    if not channel.eof_received or not channel.status_event.wait(max(0.0, end - time.monotonic())):
        raise _unknown(deadline, end)
    if channel.exit_status < 0:
        raise OutcomeUnknown("the command was cut off or killed, and did not say how it ended")
    return CommandOutput(channel.exit_status, stdout, stderr)


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


def _drain(channel: paramiko.Channel, end: float, limit: int) -> tuple[bytes, bytes]:
    """Read both streams as they arrive, to the end of both: a stream that is left full stops the command for ever."""
    stdout, stderr = bytearray(), bytearray()
    bell = _Bell()
    channel.in_buffer.set_event(bell)
    channel.in_stderr_buffer.set_event(bell)
    while time.monotonic() < end:
        bell.silence()
        over = channel.eof_received or channel.closed
        read = _take(channel.recv_ready, channel.recv, stdout, limit)
        read = _take(channel.recv_stderr_ready, channel.recv_stderr, stderr, limit) or read
        if not read:
            if over:
                break
            bell.wait(max(0.0, end - time.monotonic()))
    return bytes(stdout), bytes(stderr)


def _take(ready: Callable[[], bool], receive: Callable[[int], bytes], taken: bytearray, limit: int) -> bool:
    if not ready():
        return False
    taken += receive(_CHUNK)
    if len(taken) > limit:
        raise TooMuch
    return True
