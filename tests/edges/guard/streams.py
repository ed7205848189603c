"""Standard input and output of this process as pipes of a test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ends:
    """The other ends: what is written to the first is read, and what is said can be read from the second."""

    inward: int
    outward: int

    def said(self) -> bytes:
        """What has come so far."""
        os.set_blocking(self.outward, False)
        try:
            return os.read(self.outward, 1 << 20)
        except BlockingIOError:
            return b""

    def answers(self) -> "list[Answer]":
        """The frames that have come."""
        return frames(self.said())


Answer = tuple[str, int, str, str, str]
"""The id of a request, and of its answer the code, output, complaint and look."""


def frames(left: bytes) -> "list[Answer]":
    """One answer after another."""
    found = []
    while left:
        first, _, left = left.partition(b"\n")
        asked, code, *lengths = first.decode().split(" ")[3:]
        parts = []
        for length in map(int, lengths):
            parts.append(left[:length].decode())
            left = left[length:]
        out, err, look = parts
        found.append((asked, int(code), out, err, look))
    return found


@contextmanager
def streams(said: bytes = b"", *, ends: bool = False, is_heard: bool = True) -> Iterator[Ends]:
    """Standard input with this on it, and standard output that somebody reads or not."""
    (reads, writes), (hears, speaks), kept = os.pipe(), os.pipe(), (os.dup(0), os.dup(1))
    os.write(writes, said)
    os.dup2(reads, 0)
    os.dup2(speaks, 1)
    try:
        for number in (reads, speaks, *[writes] * ends, *[hears] * (not is_heard)):
            os.close(number)
        yield Ends(writes, hears)
    finally:
        for before, number in zip(kept, (0, 1), strict=True):
            os.dup2(before, number)
            os.close(before)
        for number in (*[writes] * (not ends), *[hears] * is_heard):
            os.close(number)
