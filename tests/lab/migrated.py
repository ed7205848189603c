"""A PostgreSQL database whose tables are made once, by the product's own migrations; each test finds it without rows.

A migration takes three times as long as to delete what a test left; what it does is tested in
tests/edges/database/test_schema.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString, Self

import psycopg
from psycopg import sql

from bot.edges.clock import SystemClock
from bot.edges.database import Database
from tests.lab.keys import KEYS
from tests.lab.postgres import Postgres

_SHAPE: LiteralString = """
    SELECT relname, attname, atttypid::integer FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY relname, attnum"""
_COUNT_ANEW: LiteralString = """
    SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"""
Shape = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Migrated:
    """A database as the first start of a bot left it."""

    cluster: Postgres
    name: str
    shape: Shape  # the columns of all tables and indexes
    rows: Mapping[str, list[tuple[Any, ...]]]  # of each table

    @classmethod
    def of(cls, cluster: Postgres, name: str) -> Self:
        """Let a bot start on an empty database, and note what is there then."""
        _migrate(cluster.url(name))
        with cluster.connected(name) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            rows = {table: connection.execute(_about("SELECT * FROM {}", table)).fetchall() for (table,) in tables}
            return cls(cluster, name, _shape(connection), rows)

    @property
    def url(self) -> str:
        """Its address."""
        return self.cluster.url(self.name)

    def restore(self) -> None:
        """Make it as it was; anew where a test has changed more than rows."""
        with self.cluster.connected(self.name) as connection:
            connection.execute("SET lock_timeout = '5s'")
            is_whole = _shape(connection) == self.shape
            if is_whole:
                self._restore_rows(connection)
        if not is_whole:
            self.cluster.empty_database(self.name)
            _migrate(self.url)

    def _restore_rows(self, connection: psycopg.Connection) -> None:
        connection.execute("SET session_replication_role = replica")  # so in any order, whatever refers to what
        connection.execute(_COUNT_ANEW)
        for table, rows in self.rows.items():
            connection.execute(_about("DELETE FROM {}", table))
            for row in rows:
                values = sql.SQL(", ").join(map(sql.Literal, row))
                connection.execute(_about("INSERT INTO {} VALUES ", table) + sql.SQL("({})").format(values))


def _migrate(url: str) -> None:
    with Database(url, clock=SystemClock(), instance="template", keys=KEYS).exclusive():
        pass


def _shape(connection: psycopg.Connection) -> Shape:
    return connection.execute(_SHAPE).fetchall()


def _about(words: LiteralString, table: str) -> sql.Composed:
    return sql.SQL(words).format(sql.Identifier(table))
