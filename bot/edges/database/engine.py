"""Connections to SQLite or PostgreSQL, and transactions on them."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Executable,
    QueuePool,
    create_engine,
    event,
    func,
    literal_column,
    make_url,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.sql.schema import Table

from bot.edges.database.faults import translated
from bot.edges.database.tables import UtcTime
from bot.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things last. `busy` must stay below the three seconds in which Slack wants its ack."""

    busy: timedelta = timedelta(seconds=2)  # waiting for somebody else's lock
    card_edits: timedelta = timedelta(seconds=5)  # between two edits of a card that only show progress
    message_lease: timedelta = timedelta(seconds=60)  # a message that is being said, before somebody else may say it


def parse_url(text: str) -> URL:
    """The database's URL, with the driver that we ship. Raises `ConfigError`, which never holds a password."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError("MASKBOT_DATABASE_URL is no database URL; it looks like sqlite:///var/maskbot.db.") from None
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite+pysqlite")
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
    raise ConfigError("MASKBOT_DATABASE_URL must name a SQLite file or a PostgreSQL database.")


def connect(url: URL, limits: Limits) -> Engine:
    """An engine; it opens its first connection when one is needed."""
    seconds = limits.busy.total_seconds()
    if url.get_backend_name() == "sqlite":
        return _connect_file(Path(str(url.database)), seconds)
    return create_engine(
        url,
        pool_size=10,
        max_overflow=20,
        pool_timeout=seconds,
        pool_pre_ping=True,  # a connection that a restart of the database has cut is replaced, not handed out
        connect_args={
            "connect_timeout": max(2, round(seconds)),  # libpq takes whole seconds, and no fewer than two
            "options": f"-c synchronous_commit=on -c lock_timeout={round(seconds * 1000)} -c timezone=UTC",
        },
    )


def _connect_file(path: Path, seconds: float) -> Engine:
    def opened() -> sqlite3.Connection:
        # mode=rw: a file that is gone must not come back empty. isolation_level None: we say BEGIN ourselves.
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None, check_same_thread=False)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite+pysqlite://", creator=opened, poolclass=QueuePool, pool_size=10, max_overflow=20, pool_timeout=seconds
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns to writing fails at once if somebody wrote meanwhile, whatever the busy
    # timeout (measured); one that begins as a writer waits for its turn.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed at the end, or leaves nothing behind. Raises `StoreBusy`."""
    with translated(), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the database throughout. Raises `StoreBusy`."""
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # SQLite knows nothing else
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def insert_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless another one has what must be unique; the answer is whether it is new."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new: Executable = insert(table).values(row).on_conflict_do_nothing().returning(literal_column("1"))
    return connection.execute(new).first() is not None


def database_time(connection: Connection) -> datetime:
    """The database's own clock, by which leases go: replicas need not agree on the time."""
    if connection.dialect.name == "postgresql":
        clock = func.clock_timestamp()
    else:
        clock = func.strftime(literal_column("'%Y-%m-%d %H:%M:%f000'"), literal_column("'now'"))
    moment: datetime = connection.execute(select(type_coerce(clock, UtcTime))).scalar_one()
    return moment
