"""Start `maskbot` quickly: a fork server has imported it, and forks a process for each command.

Each is a process of its own, with its own environment, streams, signals and exit code (multiprocessing, `forkserver`).
The duration of a cold start is tested with a cold process.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread
from typing import TextIO

# Also what the product loads late, and each process would load anew.
LOADED = [
    "bot.__main__", "bot.app.run", "bot.doctor.hosts", "bot.doctor.slack", "bot.cli.audit_chain", "bot.cli.call",
    "bot.cli.check", "bot.cli.doctor", "bot.cli.init", "bot.cli.hosts_file", "bot.cli.hosts_scan",
    "bot.edges.guard.install", "alembic.command", "alembic.config", "psycopg",
]  # fmt: skip
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(LOADED)


class Maskbot:
    """A `maskbot` process, with the part of `subprocess.Popen` that tests need; `merged` joins both streams.

    `given` is its standard input, `user` the user id that it has.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        merged: bool = False,
        given: str = "",
        user: int | None = None,
    ) -> None:
        self.words = tuple(words)
        self.stdout, out = _stream()
        self.stderr, err = (self.stdout, out) if merged else _stream()
        self._process = _context.Process(target=_become, args=(self.words, dict(environment), given, (out, err), user))
        self._process.start()
        for mine in {out, err}:
            mine.close()
        assert self._process.pid
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code; negative if a signal ended it, None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def wait(self, seconds: float) -> int:
        """Until it has ended. Raises `subprocess.TimeoutExpired`."""
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(list(self.words), seconds)
        return code


def maskbot(
    words: Sequence[str], environment: Mapping[str, str], *, seconds: float, given: str = "", user: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `maskbot` with these arguments to its end. Raises `subprocess.TimeoutExpired`."""
    process = Maskbot(words, environment, given=given, user=user)
    said: dict[str, str] = {}
    readers = [
        Thread(target=lambda name, stream: said.update({name: stream.read()}), args=(name, stream), daemon=True)
        for name, stream in (("out", process.stdout), ("err", process.stderr))
    ]
    for reader in readers:
        reader.start()
    try:
        code = process.wait(seconds)
    finally:
        process.kill()
    for reader in readers:
        reader.join()
    process.stdout.close()
    process.stderr.close()
    return subprocess.CompletedProcess(list(words), code, said["out"], said["err"])


def _stream() -> tuple[TextIO, Connection]:
    """A pipe: the end read here, and the end for the other process."""
    reader, writer = _context.Pipe(duplex=False)
    with reader:
        return os.fdopen(os.dup(reader.fileno()), "r"), writer


def _become(
    words: Sequence[str],
    environment: Mapping[str, str],
    given: str,
    streams: tuple[Connection, Connection],
    user: int | None,
) -> None:
    """Become `maskbot`, from its arguments to its exit code."""
    os.setsid()  # Ctrl-C in the terminal is for the parent process
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["maskbot", *words]
    source = os.memfd_create("given")
    os.write(source, given.encode())
    os.lseek(source, 0, os.SEEK_SET)
    for number, stream in enumerate((source, *(each.fileno() for each in streams))):
        os.dup2(stream, number)
    for each in streams:
        each.close()
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, "r" if number == 0 else "w") for number in range(3))
    sys.stderr.reconfigure(line_buffering=True)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    from bot.__main__ import main  # noqa: PLC0415 - the server has it; whoever starts the server need not

    main()
