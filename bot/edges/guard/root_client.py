"""Root's half, as the login's half sees it: started with the first request that needs it, and kept for the next."""

import os
import time

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.frame import AGAIN, NAME, read_answer
from bot.edges.guard.process import CHUNK, Ended, Gone, Refused, Started, milliseconds_until, poller_of, write_all
from bot.edges.guard.ways import way_to_root

_ANSWER_SECONDS = 110.0  # root's half has limits of its own, which are shorter
_COMPLAINT_SECONDS = 2.0


class Unanswered(Exception):
    """Root's half was asked, and did not answer: nobody can tell what it did."""


class RootsHalf:
    """Root's half. It greets before it reads, so what is lost before the greeting was certainly not begun."""

    def __init__(self) -> None:
        self._running: list[Started] = []
        self.by_doas = False
        self._said = b""
        self._has_greeted = False
        self.answer: Ended | None = None

    def ask(self, line: bytes) -> Ended:
        """The answer to one request. Raises `Refused` if root cannot be reached, `Unanswered` if no answer comes."""
        answer = self._ask(line)
        if answer.code == AGAIN:  # it has served for long enough, or what it may do was changed meanwhile
            answer = self._ask(line)
        if answer.code == AGAIN:
            raise Refused("root's half of the guard does not begin")
        return answer

    def _ask(self, line: bytes) -> Ended:
        output = self.send(line)
        end = time.monotonic() + _ANSWER_SECONDS
        poller = poller_of(output)
        poller.register(1, 0)
        while self.answer is None:
            ready = dict(poller.poll(milliseconds_until(end)))
            if not ready:
                raise Unanswered
            if 1 in ready:
                raise Gone  # root's half ends what it has begun
            self.read()
        return self.answer

    def send(self, line: bytes) -> int:
        """Hand over one request; returns the descriptor of the answer. Raises `Refused` if there is no way to root."""
        self.answer = None
        if self._running and poller_of(self._running[0].out[0]).poll(0):  # it has ended since its last answer
            self.close()
        if not self._running:
            self._running = [Started([way_to_root(by_doas=self.by_doas), "-n", GUARD])]
        try:  # noqa: SIM105 - contextlib takes time to load
            write_all(self._running[0].inward, line + b"\n")
        except BrokenPipeError:
            pass  # it says why, or nothing, and both are read
        return self._running[0].out[0]

    def read(self) -> bool:
        """Read what has come; whether more belongs to the answer. Raises `Refused` and `Unanswered` as `ask` does."""
        read = os.read(self._running[0].out[0], CHUNK)
        self._said += read
        if not self._has_greeted:
            greeting, newline, rest = self._said.partition(b"\n")
            if newline and greeting.startswith(NAME.encode()):
                self._has_greeted, self._said = True, rest
            elif newline or not read:
                raise Refused(f"root was not reached: {self._complaint()}")
        if self._has_greeted:
            self._read_answer(is_over=not read)
        return self.answer is None

    def _read_answer(self, *, is_over: bool) -> None:
        try:
            self.answer = read_answer(self._said)
        except ValueError:
            raise Unanswered from None
        if self.answer is None:
            if is_over:
                raise Unanswered
            return
        self._said = b""
        if self.answer.code == AGAIN:
            self.close()

    def _complaint(self) -> str:
        """What sudo or doas says instead of it."""
        descriptor = self._running[0].err[0]
        said, end = b"", time.monotonic() + _COMPLAINT_SECONDS
        poller = poller_of(descriptor)
        while len(said) < CHUNK and poller.poll(milliseconds_until(end)):
            read = os.read(descriptor, CHUNK)
            said += read
            if not read:
                break
        self.close()
        return said.decode("utf-8", "replace").partition("\n")[0].strip()[:200] or "sudo or doas said nothing"

    def close(self) -> None:
        """Let it end: it does so at the end of its standard input."""
        for one in self._running:
            for descriptor in (one.inward, one.out[0], one.err[0]):
                os.close(descriptor)
        self._running, self._said, self._has_greeted = [], b"", False
