"""Look at a lab host over a connection of its own, in situations that root makes there and takes back."""

import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.units import Snapshot, UnitName
from tests.lab.hosts import LabHost


def look_at(host: LabHost, unit: str, *, size: str = "full", at: int = 0) -> Snapshot:
    """A look over a connection of its own, through another port where something else listens for sshd."""
    done = subprocess.run(
        look_words(host, unit, size=size, at=at), capture_output=True, text=True, check=False, timeout=60
    )
    return parse_look(done.stdout, UnitName(unit))


def look_words(host: LabHost, unit: str, *, size: str = "full", at: int = 0, before: str = "") -> list[str]:
    """The command of such a look; `before` is what the login does first."""
    client = replace(host, port=at, known_hosts=Path("/dev/null")) if at else host
    words = [*client.ssh(before + shlex.join(look_argv(UnitName(unit), size=size)))]
    words[1:1] = ["-o", "StrictHostKeyChecking=no"] if at else []
    return words


@contextmanager
def made(host: LabHost, commands: str, back: str) -> Iterator[None]:
    """Something on the host that the bot did not make."""
    done = host.run("sh", "-ec", commands)
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        host.run("sh", "-c", f"{back}; systemctl daemon-reload")


def within(seconds: float, is_so: Callable[[], bool], *, but: Callable[[], object] = str) -> None:
    """Wait for something, and fail once it has taken too long."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, but()
        time.sleep(0.1)
