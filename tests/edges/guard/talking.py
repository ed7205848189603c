"""A conversation with the guard of a real host, over one channel."""

import os
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.core.systemd.host_rules import GUARD
from tests.edges.guard.asking import Said, parse_answer, request
from tests.edges.ssh.looking import until
from tests.lab.hosts import LabHost


class Talk:
    """A channel on which the guard, or only root's half of it, answers."""

    def __init__(self, client: "subprocess.Popen[bytes]") -> None:
        self.client = client
        self._read = b""

    def ask(self, *words: str, user: str = "", **more: object) -> Said:
        """One request, and its answer."""
        return self.send(request(*words, user=user, **more))

    def send(self, given: bytes) -> Said:
        """Whatever bytes, and the answer to them."""
        self.give(given)
        return self.answer()

    def give(self, given: bytes) -> None:
        """Whatever bytes, without waiting for an answer."""
        assert self.client.stdin
        self.client.stdin.write(given)
        self.client.stdin.flush()

    def answer(self, seconds: float = 30) -> Said:
        """The next answer, which must be whole."""
        first = self.line(seconds)
        size = sum(map(int, first.split(" ")[5:]))
        while len(self._read) < size:
            self._more(seconds)
        rest, self._read = self._read[:size], self._read[size:]
        return parse_answer(first, rest)

    def line(self, seconds: float = 30) -> str:
        """The next line."""
        while b"\n" not in self._read:
            self._more(seconds)
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def _more(self, seconds: float) -> None:
        assert self.client.stdout
        ready, _, _ = select.select([self.client.stdout], [], [], seconds)
        read = os.read(self.client.stdout.fileno(), 65536) if ready else b""
        assert read, "it did not answer"
        self._read += read

    def ends(self, seconds: float = 10) -> bool:
        """Whether it ends by itself, and says nothing more."""
        end = time.monotonic() + seconds
        while self.client.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        assert self.client.stdout
        return self.client.poll() is not None and self._read + self.client.stdout.read() == b""


_kept: dict[tuple[str, int], Talk] = {}


def ask(host: LabHost, *words: str, user: str = "", **more: object) -> Said:
    """One request in words, over a conversation that is kept for the next one, as the bot keeps it."""
    talk = _kept.get((host.name, host.port))
    if talk is not None and talk.client.poll() is not None:  # it was refused, or had nothing to do for a while
        talk.client.communicate()
        talk = None
    if talk is None:
        talk = _kept[host.name, host.port] = Talk(_started(host.ssh(GUARD)))
    return talk.ask(*words, user=user, **more)


def stop(host: LabHost, unit: str) -> None:
    """Have a unit stopped, and wait until it is down: the guard does not wait, and a start would cancel its stop."""
    said = ask(host, "stop", unit)
    assert (said.code, said.err) == (0, ""), said
    until(lambda: host.show(unit, "ActiveState")["ActiveState"] in {"inactive", "failed"})


def end_kept() -> None:
    """End the conversations that are kept: at the end of all tests, and when a host is booted anew."""
    while _kept:
        _, talk = _kept.popitem()
        talk.client.kill()
        talk.client.communicate()


def _started(client: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@contextmanager
def talking(host: LabHost, command: str = GUARD, *, client: Sequence[str] = ()) -> Iterator[Talk]:
    """A channel of its own."""
    process = _started(client or host.ssh(command))
    try:
        yield Talk(process)
    finally:
        process.kill()
        process.communicate()
