"""Write log lines without waiting for their reader: what cannot be written in time is dropped and counted."""

import atexit
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from io import UnsupportedOperation
from time import monotonic
from typing import TextIO

from bot.edges import metrics

_MOST_LINES = 10_000  # lines that wait; some megabytes
_LAST_WORDS = 2.0  # seconds that the exit of the process waits for a reader


_writers: list["LogWriter"] = []


@atexit.register
def settle_all() -> None:
    """Wait until all log writers have written their lines, or until time is up."""
    for writer in _writers:
        writer.settle()


def _dropped(count: int) -> str:
    return f"{count} lines were dropped here: nobody read them in time"


class LogWriter:
    """Writes lines to one stream from a thread of its own."""

    def __init__(self, stream: TextIO, *, most: int = _MOST_LINES, dropped: Callable[[int], str] = _dropped) -> None:
        """`dropped` is the line that says how many were dropped, in the form of all others."""
        self._write = _writer(stream)
        self._say_dropped = dropped
        self._lines: deque[str] = deque()
        self._most = most
        self._dropped = 0
        self._changed = threading.Condition()
        self._is_writing = False
        _writers.append(self)
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()

    def say(self, line: str) -> None:
        """Write a line soon, or drop it."""
        with self._changed:
            if len(self._lines) >= self._most:
                self._dropped += 1
                metrics.count_dropped_line()
                return
            self._lines.append(line)
            self._changed.notify_all()

    def settle(self, seconds: float = _LAST_WORDS) -> bool:
        """Wait until all is written, but not longer than `seconds`; return whether it is."""
        end = monotonic() + seconds
        with self._changed:
            return self._changed.wait_for(lambda: not self._lines and not self._is_writing, max(0.0, end - monotonic()))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._lines))
                lines, dropped = list(self._lines), self._dropped
                self._lines.clear()
                self._dropped, self._is_writing = 0, True
            with contextlib.suppress(OSError, ValueError):  # nobody reads any more
                self._write("".join(f"{line}\n" for line in lines))
                if dropped:
                    self._write(f"{self._say_dropped(dropped)}\n")
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()


def _writer(stream: TextIO) -> Callable[[str], None]:
    """Write straight to the file: a thread that hangs in the stream's own lock would keep the process from exiting."""
    try:
        descriptor = stream.fileno()
    except (UnsupportedOperation, AttributeError):

        def to_stream(text: str) -> None:
            stream.write(text)
            stream.flush()

        return to_stream

    def to_file(text: str) -> None:
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        while left:
            left = left[os.write(descriptor, left) :]

    return to_file
