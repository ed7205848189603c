"""Both databases: every test that asks for one runs on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.edges.database import Database, DatabaseLimits
from tests.edges.asked import NOW
from tests.lab.keys import KEYS
from tests.lab.migrated import Migrated
from tests.lab.sqlite import new_sqlite

Opening = Callable[..., Database]


class Hands:
    """A clock whose hands are moved by the test."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, one kind after the other."""
    if request.param == "sqlite":
        yield new_sqlite(tmp_path / "var/maskbot.db")
        return
    migrated: Migrated = request.getfixturevalue("migrated")
    yield migrated.url
    migrated.restore()


@pytest.fixture
def is_sqlite(database_url: str) -> bool:
    return database_url.startswith("sqlite")


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def opened(database_url: str, clock: Hands) -> Iterator[Opening]:
    """Open the database once more, as another process would, without taking it over."""
    with ExitStack() as stack:

        def another(url: str = database_url, instance: str = "bot-1", **settings: Any) -> Database:
            settings.setdefault("keys", KEYS)
            settings.setdefault("limits", DatabaseLimits(busy=timedelta(seconds=20)))  # a busy machine
            database = Database(url, clock=clock, instance=instance, **settings)
            stack.callback(database.close)
            return database

        yield another


@pytest.fixture
def store(opened: Opening) -> Iterator[Database]:
    """The database as a running bot has it."""
    database = opened()
    database.use_config("c0ffee")
    with database.exclusive():
        yield database
