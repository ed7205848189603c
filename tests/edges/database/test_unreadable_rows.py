"""A row that cannot be read is a forged one: it is told, and everything else goes on."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.core.audit.chain import BrokenChain, VerifiedChain
from bot.edges.database import Database
from bot.errors import NotSealed
from bot.ports import Message, MessageKind, Periodic, Query
from tests.edges.asked import NOW, a_request, a_vote, an_event
from tests.edges.conftest import Opening
from tests.edges.database.test_forgeries import forge

DEEP = "[" * 100_000
VALID = ["[]", "1", '"s"', "{}", "null"]
INVALID = ["x", "NaN1", DEEP]


def put(url: str, statement: str, value: str) -> bool:
    """Whether the database keeps that: PostgreSQL turns some of it into a text, and refuses the rest."""
    try:
        forge(url, lambda connection: connection.execute(text(statement), {"value": value}))
    except DBAPIError:
        return False
    return True


@pytest.mark.parametrize("body", [*VALID, *INVALID, '{"seq": "x"}', '{"seq": 2, "ts": 1}'])
def test_an_event_that_cannot_be_read_breaks_the_chain(
    store: Database, opened: Opening, database_url: str, body: str
) -> None:
    store.record([an_event(), an_event(), an_event()])
    put(database_url, "UPDATE events SET body = :value WHERE seq = 2", body)
    for one in (store, opened()):
        found = one.verify_chain()
        assert isinstance(found, BrokenChain)
        assert found.seq == 2
    store.stored_chain.accept_break("mended", by="root", at=NOW, anchor=None)
    assert isinstance(store.verify_chain(), VerifiedChain)


def test_an_event_that_calls_itself_an_earlier_one_leads_no_reader_in_circles(
    store: Database, database_url: str
) -> None:
    store.record([an_event(), an_event(), an_event()])
    put(database_url, "UPDATE events SET body = :value WHERE seq = 3", '{"seq": 0}')
    assert [record["seq"] for record in store.records()] == [1, 2, 0]


@pytest.mark.parametrize("column", ["seq", "body", "prev", "hash", "kid", "mac", "request_id", "type"])
def test_so_does_one_with_something_else_than_text_in_a_column(
    store: Database, opened: Opening, database_url: str, column: str, *, is_sqlite: bool
) -> None:
    store.record([an_event(), an_event(), an_event()])
    is_kept = put(database_url, f"UPDATE events SET {column} = x'6666' WHERE seq = 2 AND :value = ''", "")  # noqa: S608
    assert is_kept or not is_sqlite
    for one in (store, opened()):
        assert isinstance(one.verify_chain(), BrokenChain if is_kept else VerifiedChain)


def test_one_that_only_calls_itself_an_accepted_break_is_none(store: Database, database_url: str) -> None:
    store.record([an_event(), an_event()])
    put(database_url, "UPDATE events SET type = 'audit.break_accepted', body = :value WHERE seq = 2", "x")
    assert isinstance(store.verify_chain(), BrokenChain)


def test_a_chain_whose_head_was_taken_away_is_broken_until_that_is_accepted(store: Database, database_url: str) -> None:
    store.record([an_event(), an_event()])
    put(database_url, "DELETE FROM chain_head WHERE hash <> :value", "")
    assert isinstance(store.verify_chain(), BrokenChain)
    store.stored_chain.accept_break("mended", by="root", at=NOW, anchor=None)
    assert isinstance(store.verify_chain(), VerifiedChain)


SPOILED = {
    "requests": "UPDATE requests SET document = :value WHERE id = 'r1'",
    "targets": "UPDATE targets SET document = :value WHERE request_id = 'r1'",
    "votes": "UPDATE votes SET document = :value WHERE request_id = 'r1'",
}


@pytest.mark.parametrize("edit", ["seal = x'6666'", "asked_at = 'never'", "version = 'x'", "stage = x'6666'"])
def test_nor_does_a_column_that_holds_something_else(
    store: Database, database_url: str, edit: str, *, is_sqlite: bool
) -> None:
    store.add(a_request(due_at=NOW), events=[an_event()])
    store.add(a_request(2, host="web-02"), events=[an_event()])
    is_kept = put(database_url, f"UPDATE requests SET {edit} WHERE id = :value", "r1")  # noqa: S608
    assert is_kept or not is_sqlite
    assert "r2" in [one.id for one in store.find(Query())]
    claims = [store.claim("bot-1") for _ in range(3)]
    assert "r2" in [claim.request.id for claim in claims if claim]


def documents(is_sqlite: bool) -> list[str]:  # noqa: FBT001
    return [*VALID, *INVALID] if is_sqlite else VALID  # PostgreSQL keeps no JSON that is none


@pytest.mark.parametrize("table", SPOILED)
def test_a_document_that_cannot_be_read_blocks_no_other_request(
    store: Database, database_url: str, table: str, *, is_sqlite: bool
) -> None:
    store.add(a_request(due_at=NOW, votes=(a_vote(),)), events=[an_event()])
    store.add(a_request(2, host="web-02"), events=[an_event()])
    for document in documents(is_sqlite):
        put(database_url, SPOILED[table], document)
        with pytest.raises(NotSealed, match="r1 is not what the bot recorded"):
            store.get("r1")
        assert [one.id for one in store.find(Query())] == ["r2"]
    claims = [store.claim("bot-1") for _ in range(3)]
    assert [claim.request.id for claim in claims if claim] == ["r2"]
    assert {what for what, _ in store.forgeries()} == {"request r1"}


def test_nor_another_task_or_message(store: Database, database_url: str, *, is_sqlite: bool) -> None:
    for document in documents(is_sqlite):
        store.save_periodic(Periodic("a", {"of": "a"}, NOW), forced=True)
        store.save_periodic(Periodic("b", {}, NOW), forced=True)
        store.record([], [Message(MessageKind.NOTE, body="one"), Message(MessageKind.NOTE, body="two")])
        put(database_url, "UPDATE periodic_tasks SET document = :value WHERE name = 'a'", document)
        put(database_url, "UPDATE messages SET document = :value WHERE id = (SELECT min(id) FROM messages)", document)
        taken = [store.claim_periodic("bot-1") for _ in range(3)]
        assert [task.name for task in taken if task] == ["b"]
        sent = [store.claim_message("bot-1") for _ in range(3)]
        assert [due.message.body for due in sent if due] == ["two"]
        put(database_url, "DELETE FROM messages WHERE kind <> :value", "")
