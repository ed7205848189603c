"""Database engines for SQLite and PostgreSQL, set up so that what is committed is on disk."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from bot.edges.clock import SystemClock
from bot.errors import ConfigError

_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class DatabaseLimits:
    """Time limits of the database.

    `busy` must stay below the three seconds in which Slack wants its acknowledgement.
    """

    busy: timedelta = timedelta(seconds=2)  # waiting for a lock
    card_edit_interval: timedelta = timedelta(
        seconds=1
    )  # between two edits of a card that show progress, or any of a rollout
    message_lease: timedelta = timedelta(seconds=60)  # the lease on a message that is being delivered
    stalled: timedelta = timedelta(seconds=15)  # an idle transaction, before PostgreSQL ends it


def parse_url(text: str) -> URL:
    """The database's URL, with the driver that we ship. Raises `ConfigError`, which never contains a password."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError(
            "MASKBOT_DATABASE_URL is not a database URL; it looks like sqlite:///var/maskbot.sqlite."
        ) from None
    match url.get_backend_name():
        case "sqlite" if url.host:
            raise ConfigError(f"MASKBOT_DATABASE_URL has two slashes for three: sqlite:///{url.host}/... is a file.")
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite+pysqlite")
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
    raise ConfigError(
        "MASKBOT_DATABASE_URL must name a SQLite file or a PostgreSQL database: "
        "sqlite:////var/lib/maskbot/maskbot.sqlite, or postgresql://USER@HOST/NAME."
    )


def describe(url: URL) -> str:
    """Where the database is, without its password and its options, among which a password may stand as well."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


def file_of(url: URL) -> Path | None:
    """The database's file, if it is one."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def connect(url: URL, limits: DatabaseLimits, *, reads_only: bool = False) -> Engine:
    """An engine; it opens its first connection when one is needed. One that only reads leaves a file as it is."""
    seconds = limits.busy.total_seconds()
    if path := file_of(url):
        return _connect_file(path, seconds, reads_only=reads_only)
    # A replica that freezes in the middle of a transaction, or whose machine is gone, would keep its locks from all
    # others until this timeout: the head of the audit chain is one of them.
    stalled = round(limits.stalled.total_seconds() * 1000)
    settings = {
        "synchronous_commit": "on",
        "lock_timeout": round(seconds * 1000),
        "idle_in_transaction_session_timeout": stalled,
        "timezone": "UTC",
        **({"default_transaction_read_only": "on"} if reads_only else {}),
    }
    return create_engine(
        url,
        json_deserializer=read_json,
        pool_size=10,
        max_overflow=20,
        pool_timeout=seconds,
        pool_pre_ping=True,  # a connection that was cut by a restart of the database is replaced, not handed out
        connect_args={
            "connect_timeout": max(2, round(seconds)),  # libpq takes whole seconds, and at least two
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )


def _connect_file(path: Path, seconds: float, *, reads_only: bool) -> Engine:
    pragmas = () if reads_only else ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")

    def open_connection() -> sqlite3.Connection:
        # mode=rw: a lost file must not come back empty. isolation_level None: we say BEGIN ourselves.
        uri = f"{path.absolute().as_uri()}?{_as_it_is(path) if reads_only else 'mode=rw'}"
        connection = sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None, check_same_thread=False)
        try:
            connection.create_function("maskbot_now", 0, _now)
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite+pysqlite://",
        creator=open_connection,
        json_deserializer=read_json,
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=20,
        pool_timeout=seconds,
    )
    event.listen(engine, "begin", _begin)
    return engine


def read_json(text: str) -> Any:
    """A document, or None for what is none: it is found to be forged like any other, and keeps nobody from the rest."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _as_it_is(path: Path) -> str:
    """Read a file without leaving anything beside it, as a connection does that finds no journal there (measured)."""
    return "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"


def _now() -> str:
    """The clock for leases in a SQLite file: it cannot be set back, so no lease lasts for days."""
    return f"{_CLOCK.now():%Y-%m-%d %H:%M:%S.%f}"


def _begin(connection: Connection) -> None:
    # A deferred transaction that starts to write fails at once if somebody wrote meanwhile, whatever the busy
    # timeout (measured); one that begins as a writer waits for its turn.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
