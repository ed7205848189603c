"""The stored chain is the sealed one: every change has its events in it, and every touch of the table shows."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot import __version__
from bot.core.audit.chain import START, BrokenChain, Event, Head, VerifiedChain, canonical, verify
from bot.edges.database import Database
from bot.edges.database.engine import parse_url
from tests.edges.asked import ALICE, a_request, an_event
from tests.edges.conftest import Hands, Opening
from tests.lab.keys import KEY, KEYS


def append_events(store: Database, count: int) -> None:
    for number in range(count):
        store.record([an_event("exec.intent", step=number)])


def alter(url: str, statement: str) -> None:
    """What somebody with the password would do."""
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
    engine.dispose()


def test_an_event_says_who_did_what_and_which_process_wrote_it(store: Database) -> None:
    store.record([Event("approval.voted", "denied", "self_approval", "r1", ALICE, {"need": 1})])
    (record,) = store.chain()
    assert (
        record.items()
        >= {
            "seq": 1,
            "type": "approval.voted",
            "outcome": "denied",
            "reason_code": "self_approval",
            "request_id": "r1",
            "actor": {"enterprise": "", "team": "T1", "user": "UALICE"},
            "data": {"need": 1},
            "ts": "2026-03-01T03:00:00.123Z",
            "instance": "bot-1",
            "version": __version__,
            "config_digest": "c0ffee",
            "prev": START.hash,
            "kid": KEY.id,
        }.items()
    )


def test_an_event_names_the_configuration_under_which_it_was_decided(store: Database) -> None:
    store.record([an_event("config.loaded")])
    store.use_config("cafe")
    store.record([an_event("config.loaded")])
    assert [record["config_digest"] for record in store.chain()] == ["c0ffee", "cafe"]


def test_events_of_one_change_stand_in_order_and_have_ids_of_their_own(store: Database) -> None:
    store.add(a_request(), events=[an_event("request.received"), an_event("policy.evaluated")])
    store.record([an_event("config.loaded")])
    chain = store.chain()
    assert [record["type"] for record in chain] == ["request.received", "policy.evaluated", "config.loaded"]
    assert [record["seq"] for record in chain] == [1, 2, 3]
    assert len({record["event_id"] for record in chain}) == 3


def test_the_chain_verifies_up_to_the_stored_head(store: Database) -> None:
    assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(0, START)
    append_events(store, 3)
    assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(3, store.head())


def test_the_chain_is_read_in_parts(store: Database) -> None:
    append_events(store, 5)
    assert [record["seq"] for record in store.chain(after=1, limit=2)] == [2, 3]
    assert [record["seq"] for record in store.records(after=3)] == [4, 5]


def test_a_chain_longer_than_a_page_is_read_to_its_end(store: Database) -> None:
    store.record([an_event(step=number) for number in range(1001)])
    assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(1001, store.head())


def test_an_exported_chain_verifies_without_the_database(store: Database, tmp_path: Path) -> None:
    store.record([an_event(reason="one\ntwo \x1b[2J \u2028 \u202e"), an_event()])
    file = tmp_path / "audit.jsonl"
    file.write_text("".join(f"{canonical(record)}\n" for record in store.records()))
    lines = file.read_text().splitlines()
    assert verify(map(json.loads, lines), KEYS, anchor=store.head()) == VerifiedChain(2, store.head())
    assert all(line.isascii() and line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "touch",
    [
        "UPDATE events SET body = replace(body, 'exec.intent', 'exec.denied') WHERE seq = 3",
        "UPDATE events SET hash = prev WHERE seq = 3",
        "DELETE FROM events WHERE seq = 3",
        "UPDATE events SET seq = 30 WHERE seq = 3",
    ],
)
def test_a_touched_row_breaks_the_chain_there(store: Database, database_url: str, touch: str) -> None:
    append_events(store, 5)
    alter(database_url, touch)
    broken = verify(store.records(), KEYS, anchor=store.head())
    assert isinstance(broken, BrokenChain)
    assert broken.seq == 3


def test_a_tail_that_was_cut_off_shows_against_the_stored_head(store: Database, database_url: str) -> None:
    append_events(store, 5)
    alter(database_url, "DELETE FROM events WHERE seq > 3")
    assert isinstance(verify(store.records(), KEYS), VerifiedChain)
    assert isinstance(verify(store.records(), KEYS, anchor=store.head()), BrokenChain)


def test_a_tail_and_head_that_were_cut_off_show_only_against_a_head_kept_elsewhere(
    store: Database, opened: Opening, database_url: str
) -> None:
    append_events(store, 3)
    kept = store.head()
    earlier = store.chain()[0]
    alter(database_url, "DELETE FROM events WHERE seq > 1")
    alter(database_url, "UPDATE chain_head SET seq = 1, hash = (SELECT hash FROM events)")
    stored = opened().head()  # as a process that starts sees it
    assert verify(store.records(), KEYS, anchor=stored) == VerifiedChain(1, Head(1, earlier["hash"]))
    assert isinstance(verify(store.records(), KEYS, anchor=kept), BrokenChain)


def test_what_is_undone_leaves_no_gap(store: Database) -> None:
    with pytest.raises(TypeError):
        store.add(a_request(), events=[an_event(), an_event(data=object())])
    append_events(store, 1)
    assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(1, store.head())


def test_an_event_that_cannot_be_recorded_undoes_the_change_it_tells_of(store: Database) -> None:
    with pytest.raises(TypeError):
        store.add(a_request(), events=[an_event(data=object())])
    assert store.add(a_request(), events=[])[1]


def test_two_processes_write_one_chain(store: Database, opened: Opening, clock: Hands) -> None:
    other = opened(instance="bot-2")
    store.record([an_event()])
    clock.wait(1)
    other.record([an_event()])
    store.record([an_event()])
    assert [record["instance"] for record in store.chain()] == ["bot-1", "bot-2", "bot-1"]
    assert isinstance(verify(store.records(), KEYS, anchor=other.head()), VerifiedChain)
