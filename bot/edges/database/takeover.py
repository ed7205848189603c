"""Take over the database at start: alone if it is a file, side by side with others on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, text

from bot.edges.database import claims, outbox, periodic, schema
from bot.edges.database.engine import file_of
from bot.edges.database.file import sole_use
from bot.edges.database.transactions import Transactions
from bot.errors import ConfigError


@contextmanager
def take_over(url: URL, transactions: Transactions) -> Iterator[None]:
    """Upgrade the schema, and hold the file for the duration of the block.

    Raises `ConfigError` if another process uses the file, or if the file is lost or broken.
    """
    if not (file := file_of(url)):
        _upgrade(transactions)
        yield
        return
    with sole_use(file) as lock:
        _check_file(url, transactions)
        _upgrade(transactions)
        lock.mark()
        _void_claims(transactions)
        yield


def _upgrade(transactions: Transactions) -> None:
    with transactions.writing() as connection:
        schema.upgrade(connection)


def _check_file(url: URL, transactions: Transactions) -> None:
    with transactions.reading() as connection:
        found = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    if found != "ok":
        raise ConfigError(f"The database {url.database} is damaged ({found}). Restore it from a copy.")


def _void_claims(transactions: Transactions) -> None:
    with transactions.writing() as connection:
        claims.void_all(connection)
        outbox.void_all(connection)
        periodic.void_all(connection)
