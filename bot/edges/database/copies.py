"""Copy a SQLite database while a bot uses it, and put a copy back: as a whole, for its owner alone, on disk."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bot.edges.database.file import FileLock, lock_file, locked
from bot.errors import ConfigError

_BESIDE = ("", "-wal", "-shm", "-journal")  # what belongs to a SQLite database: it is read into any of that name
Verify = Callable[[Path], None]


def back_up(database: Path, to: Path, verify: Verify) -> None:
    """Copy a database into a new file, which is there only once it was verified. Raises `ConfigError`."""
    if to.exists():
        raise ConfigError(f"{to} already exists. Name a new file.")
    with _copy(database, to.with_name(f".{to.name}.new"), verify) as new:
        new.rename(to)


def restore(copy: Path, database: Path, verify: Verify, *, aside: str) -> Path | None:
    """Put a verified copy in the place of a database, while no bot uses it; return where the old one is kept.

    The old one keeps its name, followed by `aside`. Raises `ConfigError`, also while a bot runs.
    """
    if not copy.is_file():
        raise ConfigError(f"There is no backup {copy}.")
    new_name = database.with_name(f".{database.name}.new")
    with locked(database, advice="Stop it first.") as lock, _copy(copy, new_name, verify) as new:
        owner = (database if database.exists() else database.parent).stat()
        for path in (new, lock_file(database)):
            with suppress(PermissionError):
                os.chown(path, owner.st_uid, owner.st_gid)
        kept = _move_aside(database, aside)
        new.rename(database)
        _remember(lock)
    return kept


def _remember(lock: FileLock) -> None:
    if not lock.is_marked:
        lock.mark()


def _move_aside(database: Path, aside: str) -> Path | None:
    there = database.exists()
    for ending in _BESIDE:
        path = database.with_name(f"{database.name}{ending}")
        if path.exists():
            path.rename(database.with_name(f"{database.name}{aside}{ending}"))
    return database.with_name(f"{database.name}{aside}") if there else None


@contextmanager
def _copy(source: Path, new: Path, verify: Verify) -> Iterator[Path]:
    """A verified copy, with all of its content in one file, on disk; it is gone at the end unless it was renamed."""
    try:
        _remove(new)
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_open(source, "ro")) as theirs, closing(_open(new, "rw")) as ours:
            theirs.backup(ours)
            found = [row[0] for row in ours.execute("PRAGMA integrity_check")]
            if found != ["ok"]:
                raise ConfigError(f"{source} is damaged: {found[0]}")
        verify(new)
        with closing(_open(new, "rw")) as ours:
            ours.execute("PRAGMA journal_mode=DELETE").close()
        _sync(new)
        yield new
        _sync(new.parent)
    except sqlite3.Error as error:
        raise ConfigError(f"{source} cannot be copied: {error}") from None
    except OSError as error:
        raise ConfigError(f"{new.parent}: the copy cannot be written there: {error.strerror}") from None
    finally:
        _remove(new)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)


def _remove(new: Path) -> None:
    for ending in _BESIDE:
        new.with_name(f"{new.name}{ending}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
