"""The schema that migrations make is the one that the code expects, and old documents are read by new code."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select, text

from bot.core.requests import Stage
from bot.edges.database import Database
from bot.edges.database.engine import parse_url
from bot.edges.database.schema import MIGRATIONS
from bot.edges.database.tables import metadata, requests, targets
from bot.errors import ConfigError, WrittenByNewerVersion
from bot.ports import Query
from tests.edges.asked import a_request, a_vote, a_whole_request, an_event
from tests.edges.conftest import Opening
from tests.edges.sealing import seal_again


def test_migrations_make_the_tables_that_the_code_expects(store: Database, database_url: str) -> None:
    del store
    engine = create_engine(parse_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        made, expected = inspect(connection), metadata.tables
        for name, table in expected.items():
            # What the comparison above does not look at: conditions of indexes.
            partial = {index["name"] for index in made.get_indexes(name) if _condition(index)}
            assert partial == {
                index.name for index in table.indexes if index.dialect_options["sqlite"].get("where") is not None
            }
    engine.dispose()


def _condition(index: Any) -> bool:
    return any(option.endswith("_where") for option in index.get("dialect_options", {}))


def test_each_migration_is_found_by_the_name_of_its_file() -> None:
    """Whether there is anything to do is told by the names alone."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    assert [Path(revision.path).name.partition("_")[0] for revision in revisions] == [
        revision.revision for revision in revisions
    ]
    assert [revision.revision for revision in revisions] == sorted((one.revision for one in revisions), reverse=True)


def test_a_second_start_changes_nothing(opened: Opening) -> None:
    store = opened()
    for number in (1, 2):
        with store.exclusive():
            store.add(a_request(number), events=[an_event()])
    with store.exclusive():
        assert len(store.find(Query())) == len(store.chain()) == 2


def test_a_database_of_a_newer_version_is_left_alone(opened: Opening, database_url: str) -> None:
    store = opened()
    with store.exclusive():
        store.add(a_request(), events=[])
    alter(database_url, lambda _: None, revision="9999")
    with pytest.raises(ConfigError, match="newer maskbot"), store.exclusive():
        pass


def test_a_database_of_a_build_before_the_first_release_is_left_alone(opened: Opening, database_url: str) -> None:
    store = opened()
    with store.exclusive():
        store.add(a_request(), events=[])
    alter(database_url, lambda _: None, revision="0005")
    refused = pytest.raises(ConfigError, match="before the first release .*0005.* Start with a new database")
    with refused, store.exclusive():
        pass


def test_what_an_older_version_left_is_read(store: Database, database_url: str) -> None:
    """It knew fewer fields: those that it lacks have their defaults."""
    store.add(a_request(), events=[])

    def forget(document: dict[str, Any]) -> None:
        for field in ("undo_until", "undone_by", "changed_since", "due_at", "note", "settings_lost", "planned"):
            document.pop(field, None)
        document.get("ask", {}).pop("repeats", None)

    alter(database_url, forget)
    assert store.get("r1") == a_request()


def test_what_a_newer_version_left_is_read(store: Database, database_url: str) -> None:
    """Old and new replicas run side by side while they are rolled out."""
    store.add(a_whole_request(), events=[])
    store.record_vote("r1", a_vote(), events=[])

    def add(document: dict[str, Any]) -> None:
        document["invented_later"] = {"a": 1}
        for inner in ("ask", "before", "approval"):
            if document.get(inner):
                document[inner]["invented_later"] = [1]

    alter(database_url, add)
    assert store.get("r1") == a_whole_request()


def test_what_a_newer_version_keeps_outlives_a_change_by_this_one(store: Database, database_url: str) -> None:
    asked, _ = store.add(a_request(), events=[])
    alter(database_url, lambda document: document.update(invented_later={"a": 1}))
    store.save(asked.move(Stage.WAITING))
    kept: list[Any] = []
    alter(database_url, lambda document: kept.append(document.get("invented_later")))
    assert kept == [{"a": 1}, {"a": 1}]


def test_a_part_that_this_version_leaves_alone_keeps_what_it_does_not_know(store: Database, database_url: str) -> None:
    """And a part that it replaces is all its own: what a newer one noted of an earlier look is true of no other."""
    asked, _ = store.add(a_whole_request(), events=[])

    def add(document: dict[str, Any]) -> None:
        for part in ("ask", "break_glass", "before"):
            if document.get(part):
                document[part]["invented_later"] = [{"a": 1}]

    alter(database_url, add)
    assert asked.break_glass
    assert asked.target.before
    looked = replace(asked.target, before=replace(asked.target.before, sub="exited"))
    store.save(replace(asked, break_glass=replace(asked.break_glass, reason="somebody is awake"), target=looked))
    kept: list[tuple[str, Any]] = []
    alter(
        database_url,
        lambda document: kept.extend(
            (part, document[part].get("invented_later"))
            for part in ("ask", "break_glass", "before")
            if document.get(part)
        ),
    )
    assert dict(kept) == {"ask": [{"a": 1}], "break_glass": None, "before": None}


def test_what_a_newer_version_says_in_words_of_its_own_is_left_to_it(store: Database, database_url: str) -> None:
    """Nobody decides by half of what there is, and nobody ends what they do not understand."""
    store.add(a_request(), events=[])
    alter(database_url, lambda document: document.get("ask", {}).get("change", {}).update(verb="polish"))
    store.add(a_request(2, host="web-02"), events=[])
    for ask in (lambda: store.get("r1"), lambda: store.find(Query()), lambda: store.find(Query(host="web-01"))):
        with pytest.raises(WrittenByNewerVersion, match="r1 was written by a newer maskbot"):
            ask()
    assert [one.id for one in store.find(Query(host="web-02"))] == ["r2"]
    claims = [store.claim("bot-1") for _ in range(3)]
    assert [claim.request.id for claim in claims if claim] == ["r2"]


def test_the_columns_are_what_counts(store: Database, database_url: str) -> None:
    """Stage and version stand in the document as well; conditions look at the columns."""
    asked, _ = store.add(a_request(), events=[])
    store.save(asked.move(Stage.WAITING))

    def lie(document: dict[str, Any]) -> None:
        document |= {"stage": "done", "version": 77}

    alter(database_url, lie)
    assert (store.get("r1").stage, store.get("r1").version) == (Stage.WAITING, 1)


def alter(url: str, change: Callable[[dict[str, Any]], None], *, revision: str = "") -> None:
    """Change the documents, or the revision, as another version would have left them."""
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        for table in (requests, targets):
            for document in connection.execute(select(table.c.document)).scalars().all():
                altered = json.loads(json.dumps(document))
                change(altered)
                connection.execute(table.update().values(document=altered))
        seal_again(connection)
        if revision:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    engine.dispose()
