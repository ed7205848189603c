"""The SQLite file: private, used by one process, and never silently replaced by an empty one."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError

_PID_WIDTH = 10
_ONE_ONLY = "A SQLite file serves one process; several need PostgreSQL."
_MARK = b"This file guards a database that holds data.\n"


@dataclass(frozen=True, slots=True)
class FileLock:
    """The lock file, open and locked. It names its holder, and remembers that the database once had content."""

    handle: int

    @property
    def is_marked(self) -> bool:
        """Whether the database once had content."""
        return os.pread(self.handle, 1, _PID_WIDTH + 1) != b""

    def mark(self) -> None:
        """Remember that the database has content."""
        os.pwrite(self.handle, _MARK, _PID_WIDTH + 1)


@contextmanager
def sole_use(path: Path) -> Iterator[FileLock]:
    """Hold the lock file for the duration of the block; create the database if there never was one.

    Raises `ConfigError` if another process holds the lock, or the file is lost.
    """
    with locked(path) as lock:
        if not _require_file(path, is_marked=lock.is_marked):
            os.close(_open(path))
        yield lock


@contextmanager
def locked(path: Path, *, advice: str = _ONE_ONLY) -> Iterator[FileLock]:
    """Hold the lock file of a database, be that there or not. Raises `ConfigError` if another process holds it.

    `advice` says what to do then. A lock dies with its process (flock(2)).
    """
    _make_folder(path.parent)
    lock = FileLock(_open(lock_file(path)))
    try:
        _hold(lock.handle, path, advice)
        yield lock
    finally:
        os.close(lock.handle)


def lock_file(path: Path) -> Path:
    """The lock file beside a database."""
    return path.with_name(f"{path.name}.lock")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder of the database, {folder}, cannot be made: {error.strerror}.") from error


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"{path} cannot be opened: {error.strerror}.") from error


def _hold(handle: int, path: Path, advice: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, _PID_WIDTH, 0).decode("ascii", "replace").strip()
        raise ConfigError(f"Another maskbot (process {owner}) uses {path}. {advice}") from None
    os.pwrite(handle, f"{os.getpid():<{_PID_WIDTH}}\n".encode(), 0)


def is_there(path: Path) -> bool:
    """Whether there is a database with content, without taking its lock. Raises `ConfigError` if the file is lost."""
    lock = lock_file(path)
    is_marked = lock.exists() and lock.stat().st_size > _PID_WIDTH + 1
    return _require_file(path, is_marked=is_marked) and path.stat().st_size > 0


def _require_file(path: Path, *, is_marked: bool) -> bool:
    """Whether the file is there."""
    size = path.stat().st_size if path.exists() else None
    if is_marked and not size:
        state, lock = "gone" if size is None else "empty", lock_file(path)
        raise ConfigError(
            f"The database {path} is {state}, and it was not before. Restore it, or remove {lock} to start over."
        )
    return size is not None
