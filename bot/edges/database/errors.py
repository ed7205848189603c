"""Translate database errors by who must act."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from bot.errors import ConfigError, MaskbotError, MaybeRecorded, StoreBusy

# Primary result codes, https://www.sqlite.org/rescode.html
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NOT_WRITABLE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)
_UNREADABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise `StoreBusy` for what may pass, `ConfigError` for what the operator must fix.

    Programming errors pass through.
    """
    try:
        yield
    except NoConnectionFree:
        raise StoreBusy("The database is overloaded; nothing was recorded. Try again.") from None
    except DBAPIError as error:
        ours = _ours(error.orig)
        if ours is None:
            raise
        raise ours from error


@contextmanager
def committing() -> Iterator[None]:
    """Raise `MaybeRecorded` if the connection is lost during a commit. A repetition is safe, for keys are unique."""
    try:
        yield
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        lost = "The database went away while this was recorded, so it may or may not be on record. Check, or try again."
        raise MaybeRecorded(lost) from error


def _ours(error: BaseException | None) -> MaskbotError | None:
    return _sqlite(error) if isinstance(error, sqlite3.Error) else _postgresql(error)


def _sqlite(error: sqlite3.Error) -> MaskbotError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return StoreBusy("The database is busy; nothing was recorded. Try again.")
    if code in _NOT_WRITABLE:
        return StoreBusy(f"The database cannot be written ({error}); nothing was recorded.")
    if code in _UNREADABLE:
        return ConfigError(f"The database file cannot be read ({error}). Restore it, or check its owner and mode.")
    return None


def _postgresql(error: BaseException | None) -> MaskbotError | None:
    import psycopg

    match error:
        case psycopg.errors.DiskFull():
            return StoreBusy("The database's disk is full; nothing was recorded.")
        case psycopg.errors.LockNotAvailable() | psycopg.errors.DeadlockDetected():
            return StoreBusy("The database is busy; nothing was recorded. Try again.")
        case psycopg.errors.IdleInTransactionSessionTimeout():
            return StoreBusy(
                "The database dropped this process because it had stalled; nothing was recorded. Try again."
            )
        case psycopg.errors.ReadOnlySqlTransaction():  # it is a standby now, or is failing over
            return StoreBusy("The database accepts nothing at the moment; nothing was recorded. Try again.")
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return StoreBusy("The database does not answer; nothing was recorded. Try again.")
    return None
