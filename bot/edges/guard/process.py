"""Run programs with limits on their time and their output."""

import os
import select
import time
from collections.abc import Callable

from bot.core.systemd.host_rules import LOOK_SECONDS, RIGHTS_FD

REFUSED = 64
"""The exit code of an answer in which nothing was done."""

FAILED = 1
LATE = 124
"""The exit code of a program that was killed at its limit, as timeout(1) says it."""

CHUNK = 65536
_KILL = 9
MOST_OUTPUT = 4 * 1024 * 1024
SECONDS = 15.0
REQUEST_SECONDS = 26.0
"""How long one request may take in all."""

ENVIRONMENT = {
    "LC_ALL": "C",
    "TZ": "UTC",
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
}


class Refused(Exception):
    """What the guard does not do, in a sentence for people."""


class Gone(Exception):
    """Nobody waits for the answer any more."""


class Limit:
    """When all that the present request waits for is over, and whether it ends with those who wait for its answer."""

    end = 0.0
    is_look = False
    look_seconds = LOOK_SECONDS


def begin_request() -> None:
    """Its time begins now."""
    Limit.end = time.monotonic() + REQUEST_SECONDS
    Limit.is_look = False
    Limit.look_seconds = LOOK_SECONDS


class Ended:
    """How a program ended, and what it printed; the answer to a request may have a look after a change, too."""

    def __init__(self, code: int, out: bytes, err: bytes, look: bytes = b"") -> None:
        self.code = code
        self.out = out
        self.err = err
        self.look = look

    @property
    def lines(self) -> "list[str]":
        """Its standard output."""
        return self.out.decode("utf-8", "replace").splitlines()


class Started:
    """A program that runs, in a session of its own. What is written to `inward` is its standard input."""

    def __init__(
        self,
        argv: "list[str]",
        become: "Callable[[], None] | None" = None,
        rights: int = -1,
        more: "dict[str, str] | None" = None,
    ) -> None:
        given, self.out, self.err = os.pipe(), os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                for number, end in ((0, given[0]), (1, self.out[1]), (2, self.err[1])):
                    os.dup2(end, number)
                if rights >= 0:
                    os.dup2(rights, RIGHTS_FD)
                    os.set_inheritable(RIGHTS_FD, True)  # noqa: FBT003
                if become:
                    become()
                os.chdir("/")
                os.execve(argv[0], argv, dict(ENVIRONMENT, **(more or {})))  # noqa: S606 - no shell is wanted
            finally:
                os._exit(127)
        for end in (given[0], self.out[1], self.err[1]):
            os.close(end)
        self.inward = given[1]

    def end(
        self,
        seconds: float = SECONDS,
        limit: int = MOST_OUTPUT,
        also: "dict[int, Callable[[], bool]] | None" = None,
    ) -> Ended:
        """Read all that it prints and wait for its end; what goes on for too long is killed with all its children.

        In a look it ends with those who wait for the answer: raises `Gone`. For the descriptors of `also` see `drain`.
        """
        os.close(self.inward)
        taken = {self.out[0]: b"", self.err[0]: b""}
        is_well = False
        try:
            is_well = drain(taken, min(time.monotonic() + seconds, Limit.end), limit, also)
        finally:
            if not is_well:
                self._kill()
            for descriptor in taken:
                os.close(descriptor)
            status = os.waitpid(self.pid, 0)[1]
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        return Ended(code if is_well else LATE, taken[self.out[0]], taken[self.err[0]])

    def _kill(self) -> None:
        try:
            os.killpg(self.pid, _KILL)
        except ProcessLookupError:  # it has no session of its own yet, and so no children
            os.kill(self.pid, _KILL)


def run(argv: "list[str]", **more: "Callable[[], None] | dict[str, str]") -> Ended:
    """Run a program to its end."""
    return Started(argv, **more).end()  # type: ignore[arg-type]


def drain(
    taken: "dict[int, bytes]",
    end: float,
    limit: int,
    also: "dict[int, Callable[[], bool]] | None" = None,
) -> bool:
    """Read from all descriptors to the end of each; whether that came in time, and was not too much.

    When one of `also` can be read, its function is called, which says whether there is more to come; they are not
    waited for. A look watches the other end of standard output, and raises `Gone` without it.
    """
    also = also or {}
    poller = poller_of(*taken, *also)
    if Limit.is_look:
        poller.register(1, 0)
    left = len(taken)
    while left:
        ready = poller.poll(milliseconds_until(end))
        if not ready:
            return False
        for descriptor, _ in ready:
            if descriptor in also:
                if not also[descriptor]():
                    poller.unregister(descriptor)
            elif descriptor not in taken:
                raise Gone
            elif not _take(descriptor, taken):
                poller.unregister(descriptor)
                left -= 1
            elif len(taken[descriptor]) > limit:
                return False
    return True


def milliseconds_until(end: float) -> float:
    """How long poll(2) may wait, to a moment of the monotonic clock."""
    return max(0.0, end - time.monotonic()) * 1000


def poller_of(*descriptors: int) -> "select.poll":
    """Waits until one of them can be read, or has ended."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN | select.POLLHUP)
    return poller


def _take(descriptor: int, taken: "dict[int, bytes]") -> bool:
    read = os.read(descriptor, CHUNK)
    taken[descriptor] += read
    return bool(read)


def write_all(descriptor: int, text: bytes) -> None:
    """Write to the end."""
    while text:
        text = text[os.write(descriptor, text) :]
