"""Transactions on SQLite and PostgreSQL, and the two statements that differ between them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Executable, bindparam, literal_column, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.schema import Table

from bot.edges.database.engine import DatabaseLimits, connect, file_of
from bot.edges.database.errors import committing, translate_errors
from bot.edges.database.fair_lock import FairLock
from bot.edges.database.seals import Seals
from bot.edges.database.tables import UtcTime


class Transactions:
    """Begins and ends every transaction. Both kinds raise `StoreBusy`."""

    def __init__(self, url: URL, limits: DatabaseLimits, seals: Seals, *, reads_only: bool = False) -> None:
        self._seals = seals
        self._engine = connect(url, limits, reads_only=reads_only)
        self._is_file = file_of(url) is not None
        self._turns = FairLock(limits.busy.total_seconds())

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or leaves nothing behind.

        Raises `MaybeRecorded` if it is not known which.
        """
        turn = self._turns.turn() if self._is_file else nullcontext()  # a SQLite file has one writer at a time anyway
        with (
            turn,
            translate_errors(),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin() as transaction,
        ):
            yield self._seals.on(connection)
            with committing():
                transaction.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout; on a SQLite file it waits for no writer."""
        with translate_errors(), self._engine.connect() as connection:
            if not self._is_file:  # SQLite has no other isolation level
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield self._seals.on(connection)

    def close(self) -> None:
        """Close all connections; the next transaction would open new ones."""
        self._engine.dispose()


def insert_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless a unique value exists already; return whether it was inserted."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new: Executable = insert(table).values(row).on_conflict_do_nothing().returning(literal_column("1"))
    return connection.execute(new).first() is not None


class _DatabaseClock(FunctionElement[datetime]):
    """The database's own clock, used for leases: replicas need not agree on the time. For a SQLite file it is ours."""

    name = "database_clock"
    type = UtcTime()
    inherit_cache = True


@compiles(_DatabaseClock, "postgresql")
def _on_postgresql(*_: object, **__: object) -> str:
    return "clock_timestamp()"


@compiles(_DatabaseClock, "sqlite")
def _on_sqlite(*_: object, **__: object) -> str:
    return "maskbot_now()"


# Parts of frequent statements, built once: building one takes up to ten times as long as
# executing it (measured).
DATABASE_CLOCK = _DatabaseClock()
NOW = bindparam("now", type_=UtcTime)


def is_free(table: Table) -> ColumnElement[bool]:
    """The SQL condition that nobody has claimed a row, or that the lease has run out by the database's clock."""
    return or_(table.c.owner.is_(None), table.c.lease_until <= DATABASE_CLOCK)


def database_time(connection: Connection) -> datetime:
    """The time of the database's clock."""
    moment: datetime = connection.execute(select(DATABASE_CLOCK)).scalar_one()
    return moment
