"""Periodic tasks, on both databases: kept by whoever read the newest version, taken by one, and never lost with him."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.edges.database import Database
from bot.errors import Stale
from bot.ports import Message, MessageKind, Periodic
from tests.edges.asked import INCIDENT, NOW, a_request
from tests.edges.conftest import Hands, Opening

WATCH = Periodic("watch:web-01", {"masks": ["cron.service"]}, NOW)


def test_what_was_kept_is_there_as_it_was(store: Database) -> None:
    kept = store.save_periodic(WATCH)

    assert store.get_periodic("watch:web-01") == kept == replace(WATCH, version=1)
    assert store.get_periodic("watch:web-02") is None


def test_the_tasks_of_a_kind_are_those_that_begin_with_its_name(store: Database) -> None:
    for name in ("watch:web-02", "watch:web-01", "watch_more:web-01", "watches"):
        store.save_periodic(Periodic(name))

    assert [task.name for task in store.find_periodic("watch")] == ["watch:web-01", "watch:web-02"]


def test_of_two_who_read_the_same_version_one_is_turned_away(store: Database, opened: Opening) -> None:
    first = store.save_periodic(WATCH)
    store.save_periodic(replace(first, document={"masks": []}))

    with pytest.raises(Stale):
        opened(instance="bot-2").save_periodic(replace(first, document={"masks": ["ssh.service"]}))
    with pytest.raises(Stale):
        store.save_periodic(WATCH)
    kept = store.get_periodic("watch:web-01")
    assert kept and kept.document == {"masks": []}


def test_a_duty_is_taken_when_it_is_due_and_by_one_only(store: Database, opened: Opening, clock: Hands) -> None:
    store.save_periodic(replace(WATCH, due_at=NOW + timedelta(seconds=5)))
    store.save_periodic(Periodic("kill_switch"))
    assert store.claim_periodic("bot-1") is None

    clock.wait(5)
    taken = store.claim_periodic("bot-1")

    assert taken and taken.name == "watch:web-01"
    assert opened(instance="bot-2").claim_periodic("bot-2") is None


def test_a_duty_that_was_done_is_due_again_when_its_keeper_says(store: Database, clock: Hands) -> None:
    store.save_periodic(WATCH)
    taken = store.claim_periodic("bot-1")
    assert taken

    store.save_periodic(replace(taken, due_at=NOW + timedelta(minutes=5)))

    assert store.claim_periodic("bot-1") is None
    clock.wait(300)
    assert store.claim_periodic("bot-1")


def test_who_lost_a_duty_cannot_keep_it(opened: Opening) -> None:
    quick = opened(lease=timedelta(0))
    with quick.exclusive():
        quick.save_periodic(WATCH)
        first, second = quick.claim_periodic("bot-1"), quick.claim_periodic("bot-2")
        assert first and second

        with pytest.raises(Stale):
            quick.save_periodic(first)
        assert quick.save_periodic(second).version == second.version + 1


def test_what_a_duty_says_belongs_to_no_request_and_waits_for_no_card(store: Database) -> None:
    said = Message(MessageKind.NOTE, body="A mask of ours is gone.", place=INCIDENT, mentions=("UALICE",))

    store.save_periodic(WATCH, messages=[said])
    due = store.claim_message("bot-1")

    assert due and (due.request_id, due.message) == ("", said)
    store.mark_delivered(due, channel="C1", ts="1.1", version=0)
    assert store.claim_message("bot-1") is None


def test_nothing_is_said_for_a_duty_that_was_not_kept(store: Database) -> None:
    store.save_periodic(WATCH)

    with pytest.raises(Stale):
        store.save_periodic(WATCH, messages=[Message(MessageKind.NOTE, body="twice", place=INCIDENT)])

    assert store.claim_message("bot-1") is None


def test_one_look_tells_whether_there_is_anything_to_take(store: Database, clock: Hands) -> None:
    assert not store.is_anything_due()
    kept = store.save_periodic(replace(WATCH, due_at=NOW + timedelta(seconds=5)))
    store.add(a_request(due_at=NOW + timedelta(seconds=10)), events=[])
    assert not store.is_anything_due()

    clock.wait(5)
    assert store.is_anything_due()
    assert store.claim_periodic("bot-1")
    assert not store.is_anything_due()
    clock.wait(5)
    assert store.is_anything_due()
    assert store.claim("bot-1")
    assert not store.is_anything_due()
    store.save_periodic(replace(kept, version=2), messages=[Message(MessageKind.NOTE, place=INCIDENT)])
    assert store.is_anything_due()
