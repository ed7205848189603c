"""Handle signals of the operating system in order: reload, or stop."""

import contextlib
import os
import signal
import socket
import sys
import threading
from enum import Enum, auto
from queue import Empty, SimpleQueue
from types import FrameType

import structlog

from bot.edges.ops import log_writer

log = structlog.get_logger()


class Signal(Enum):
    """A request to the process to reload its configuration, or to stop."""

    RELOAD = auto()
    STOP = auto()


def no_later_than(seconds: float) -> threading.Timer:
    """End the process at the latest then, even if threads still wait for a host or for Slack.

    Work in progress is continued by another process, which begins with a look.
    """
    timer = threading.Timer(seconds, _leave, [seconds])
    timer.daemon = True
    return timer


def _leave(seconds: float) -> None:
    log.error("not finished in time", seconds=seconds, hint="the next process continues the running work")
    log_writer.settle_all()
    os._exit(0)


class Signals:
    """Signals, and requests to stop from within the process.

    The first SIGTERM or SIGINT stops in order, a second one at once, which loses nothing: the next run begins with a
    look. SIGHUP reloads the configuration; but a closed terminal sends SIGHUP too, and means a stop.
    """

    def __init__(self, *, is_terminal: bool) -> None:
        self._queue: SimpleQueue[Signal] = SimpleQueue()
        self._is_terminal = is_terminal
        # Waiting for a signal on a lock is unsafe: a signal between Python's last check and the sleep of the
        # thread is noticed only at the next signal (measured with busy threads: one in some twenty). A socket
        # that the signal itself writes to keeps the signal (signal.set_wakeup_fd).
        self._heard, self._bell = socket.socketpair()
        self._bell.settimeout(0)  # never blocks
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_hangup)

    def stop(self) -> None:
        """Ask the process to stop."""
        self._put(Signal.STOP)

    def reload(self) -> None:
        """Ask the process to reload its configuration."""
        self._put(Signal.RELOAD)

    def next(self) -> Signal:
        """Wait for the next signal."""
        while True:
            with contextlib.suppress(Empty):
                return self._queue.get_nowait()
            self._heard.recv(4096)

    def _put(self, signal_: Signal) -> None:
        self._queue.put(signal_)
        with contextlib.suppress(BlockingIOError):  # the pipe is full, so the reader wakes up anyway
            self._bell.send(b"\0")

    def _on_stop(self, number: int, _: FrameType | None) -> None:
        self.stop()
        signal.signal(number, signal.SIG_DFL)

    def _on_hangup(self, _: int, __: FrameType | None) -> None:
        is_closed = self._is_terminal and not sys.stderr.isatty()
        self._put(Signal.STOP if is_closed else Signal.RELOAD)
