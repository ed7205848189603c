"""One command on an open connection: sent, drained on both streams, and ended at its deadline."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import paramiko

from bot.edges.deadline import call_after
from bot.errors import OutcomeUnknown

_CHUNK = 32 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said and how it ended; what went beyond the limit of a stream is dropped."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class _Bell(threading.Event):
    """Rung by both streams when there is something to read; a stream that was read empty must not silence the other."""

    def clear(self) -> None:
        """What the streams call."""

    def silence(self) -> None:
        """What the reader calls."""
        super().clear()


def run_command(channel: paramiko.Channel, command: str, *, deadline: float, limit: int) -> Answer:
    """Run one command within `deadline` seconds. Whatever goes wrong from here on, it may have run: `OutcomeUnknown`.

    Closing the channel does not stop a command on the host (measured), so a deadline ends only our waiting.
    """
    end = time.monotonic() + deadline
    try:
        with _closed_at(channel, deadline):
            channel.exec_command(command)
        channel.shutdown_write()
        stdout, stderr = _drain(channel, end, limit)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _unknown(deadline, end) from error
    if not channel.eof_received or not channel.status_event.wait(max(0.0, end - time.monotonic())):
        raise _unknown(deadline, end)
    if channel.exit_status < 0:
        raise OutcomeUnknown("the command was cut off or killed, and did not say how it ended")
    return Answer(channel.exit_status, stdout, stderr)


def _unknown(deadline: float, end: float) -> OutcomeUnknown:
    if time.monotonic() >= end:
        return OutcomeUnknown(f"the command was sent and the host did not answer in {deadline:g} s")
    return OutcomeUnknown("the connection was lost after the command was sent")


def _closed_at(channel: paramiko.Channel, seconds: float) -> AbstractContextManager[None]:
    """`exec_command` waits for its answer without a limit; a closed channel ends that."""
    return call_after(seconds, lambda: _close(channel))


def _close(channel: paramiko.Channel) -> None:
    """Its connection may be breaking at the same moment; then it is closed all the same."""
    with suppress(paramiko.SSHException, EOFError, OSError):
        channel.close()


def _drain(channel: paramiko.Channel, end: float, limit: int) -> tuple[bytes, bytes]:
    """Read both streams as they come, to the end of both: one that is left full stops the command for ever."""
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
    taken += receive(_CHUNK)[: max(0, limit - len(taken))]
    return True
