"""Look at a lab host over a connection of its own, in situations that root makes there and undoes."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.core.systemd.guard import read_frame, request_line
from bot.core.systemd.host_rules import GUARD
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.units import Snapshot, UnitName
from tests.lab.hosts import LabHost

LOOK = "0a"  # the id of each request
PATIENCE = 60.0  # seconds in which whatever has to happen has happened, also on a slow machine


def look_at(host: LabHost, unit: str, *, size: str = "full", at: int = 0) -> Snapshot:
    """A look over a connection of its own, through another port where something else listens for sshd."""
    words, asked = way_in(host, at=at), question(unit, size=size)
    return answered(
        subprocess.run(words, input=asked, capture_output=True, text=True, check=False, timeout=60).stdout, unit
    )


def way_in(host: LabHost, *, at: int = 0, before: str = "") -> list[str]:
    """The command that leads to the guard; `before` is what the login does first."""
    client = replace(host, port=at, known_hosts=Path("/dev/null")) if at else host
    words = [*client.ssh(before + GUARD)]
    words[1:1] = ["-o", "StrictHostKeyChecking=no"] if at else []
    return words


def question(unit: str, *, size: str = "full") -> str:
    """The request for a look."""
    return request_line(look_argv(UnitName(unit), size=size), LOOK)


def answered(said: str, unit: str) -> Snapshot:
    """The look in the guard's answer."""
    framed = read_frame(said, LOOK)
    assert framed, said
    return parse_look(framed.stdout, UnitName(unit))


@contextmanager
def made(host: LabHost, commands: str, back: str) -> Iterator[None]:
    """Something on the host that the bot did not make."""
    done = host.run("sh", "-ec", commands)
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        host.run("sh", "-c", f"{back}; systemctl daemon-reload")


def until(is_so: Callable[[], bool], *, but: Callable[[], object] = str) -> None:
    """Wait for something, and fail once it has taken longer than it does on any machine."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, but()
        time.sleep(0.1)
