"""Whoever writes the database without a seal key is found out, and what they wrote counts for nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Table, create_engine, delete, insert, select, text, update

from bot.core.audit.chain import BrokenChain, Event, Head, Origin, VerifiedChain, seal
from bot.core.audit.seal_keys import KeyRing, SealKey
from bot.core.people.identity import Place
from bot.core.requests import Stage, Tally
from bot.edges.database import Database, rows
from bot.edges.database.engine import parse_url
from bot.edges.database.tables import chain_head, events, messages, periodic_tasks, requests, targets, votes
from bot.errors import NotSealed
from bot.ports import Message, MessageKind, Periodic, Query
from tests.edges.asked import BOB, NOW, a_request, a_vote, a_whole_request, an_event
from tests.edges.conftest import Opening
from tests.lab.keys import KEY, KEYS

FORGERS_OWN = KeyRing((SealKey("lab", b"\x66" * 32),))
Forge = Callable[[Connection], object]


def forge(url: str, attack: Forge) -> None:
    """What somebody with the database's password does."""
    engine = create_engine(parse_url(url))
    try:
        with engine.begin() as connection:
            attack(connection)
    finally:
        engine.dispose()


def add_a_counted_vote(connection: Connection) -> None:
    connection.execute(insert(votes).values(rows.vote_row("r1", a_vote(BOB, tally=Tally.COUNTED))))


def count_a_recorded_vote(connection: Connection) -> None:
    document = rows.vote_row("r1", a_vote(tally=Tally.COUNTED))["document"]
    connection.execute(insert(votes).values(rows.vote_row("r1", a_vote())))
    connection.execute(update(votes).values(document=document, tally="counted"))


def approve_it(connection: Connection) -> None:
    connection.execute(update(requests).where(requests.c.id == "r1").values(stage="approved"))


def number_it_higher(connection: Connection) -> None:
    connection.execute(update(requests).where(requests.c.id == "r1").values(version=9))


def change_the_unit(connection: Connection) -> None:
    change(connection, targets, targets.c.request_id, "cron.service", "ssh.service")


def change_who_asked(connection: Connection) -> None:
    change(connection, requests, requests.c.id, "UALICE", "UMALLORY")


def take_the_row_of_another_request(connection: Connection) -> None:
    other = connection.execute(select(requests).where(requests.c.id == "r2")).mappings().one()
    copied = {name: other[name] for name in ("stage", "version", "document", "seal")}
    connection.execute(update(requests).where(requests.c.id == "r1").values(copied))
    document = select(targets.c.document).where(targets.c.request_id == "r2").scalar_subquery()
    connection.execute(update(targets).where(targets.c.request_id == "r1").values(document=document))


def take_the_seal_away(connection: Connection) -> None:
    connection.execute(update(requests).where(requests.c.id == "r1").values(seal=""))


def move_it_to_another_host(connection: Connection) -> None:
    connection.execute(update(targets).where(targets.c.request_id == "r1").values(host="web-09"))


def call_its_unit_otherwise(connection: Connection) -> None:
    connection.execute(update(targets).where(targets.c.request_id == "r1").values(unit="tuned.service"))


def put_it_into_a_rollout(connection: Connection) -> None:
    connection.execute(update(requests).where(requests.c.id == "r1").values(rollout="r2"))


def answer_for_another_key(connection: Connection) -> None:
    connection.execute(update(requests).where(requests.c.id == "r1").values(key="target:r2:web-01:cron.service"))


def change(connection: Connection, table: Table, key: Column[str], old: str, new: str) -> None:
    document = connection.execute(select(table.c.document).where(key == "r1")).scalar_one()
    altered = json.loads(json.dumps(document).replace(old, new))
    assert altered != document
    connection.execute(update(table).where(key == "r1").values(document=altered))


@pytest.mark.parametrize(
    "attack",
    [add_a_counted_vote, count_a_recorded_vote, approve_it, number_it_higher, change_the_unit, change_who_asked,
     take_the_row_of_another_request, take_the_seal_away, move_it_to_another_host, call_its_unit_otherwise,
     put_it_into_a_rollout, answer_for_another_key],
)  # fmt: skip
def test_a_forged_request_is_neither_read_nor_worked_on_nor_written_over(
    store: Database, database_url: str, attack: Forge
) -> None:
    asked, _ = store.add(a_request(due_at=NOW), events=[an_event()])
    store.add(a_request(2, host="web-02"), events=[an_event()])
    assert store.forgeries() == []
    forge(database_url, attack)
    with pytest.raises(NotSealed, match="r1 is not what the bot recorded"):
        store.get("r1")
    with pytest.raises(NotSealed):
        store.save(replace(asked, version=9 if attack is number_it_higher else 0).move(Stage.WAITING))
    assert [one.id for one in store.find(Query())] == ["r2"]
    claims = [store.claim("bot-1") for _ in range(3)]
    assert [claim.request.id for claim in claims if claim] == ["r2"], "it blocks no other"
    ((what, why),) = store.forgeries()
    assert (what, bool(why)) == ("request r1", True)
    assert store.forgeries() == [], "it is told once"


def test_no_column_makes_a_mask_live_or_somebody_elses(store: Database, database_url: str) -> None:
    store.add(a_request(), events=[an_event()])
    owner = {"live_mask": True, "requester_user": "UMALLORY"}
    forge(database_url, lambda connection: connection.execute(update(requests).values(owner)))
    mallory = replace(BOB, user="UMALLORY")
    assert store.find(Query(live_masks=True)) == []
    assert store.find(Query(requester=mallory)) == []
    assert [one.id for one in store.find(Query())] == ["r1"]


def test_what_a_mask_found_before_it_cannot_be_changed(store: Database, database_url: str) -> None:
    """An undo restores what stood there: whoever changes that would have the bot start or unmask something."""
    store.add(a_whole_request(), events=[an_event()])
    forge(
        database_url, lambda connection: change(connection, targets, targets.c.request_id, "crond.service", "x.service")
    )
    with pytest.raises(NotSealed):
        store.get("r1")
    assert store.find(Query(live_masks=True)) == []


def test_a_periodic_task_that_somebody_wrote_is_not_performed(store: Database, database_url: str) -> None:
    store.save_periodic(Periodic("kill_switch", {"on": True}, NOW))
    store.save_periodic(Periodic("watch:web-01", {}, NOW))
    forge(
        database_url,
        lambda connection: connection.execute(
            update(periodic_tasks).where(periodic_tasks.c.name == "kill_switch").values(document={})
        ),
    )
    with pytest.raises(NotSealed, match="kill_switch is not what the bot recorded"):
        store.get_periodic("kill_switch")
    taken = [store.claim_periodic("bot-1") for _ in range(3)]
    assert [task.name for task in taken if task] == ["watch:web-01"]
    assert [what for what, _ in store.forgeries()] == ["task kill_switch"]


REMINDER = Message(MessageKind.NOTE, body="cron on web-01 is still masked.", place=Place("C1"), buttons_of="r1")


def say_something_else(connection: Connection) -> None:
    document = connection.execute(select(messages.c.document)).scalar_one()
    connection.execute(update(messages).values(document=document | {"body": "tmp-cleanup on test-07 is still masked."}))


def name_another_request(connection: Connection) -> None:
    document = connection.execute(select(messages.c.document)).scalar_one()
    connection.execute(update(messages).values(document=document | {"buttons_of": "r2"}))


def say_it_without_a_seal(connection: Connection) -> None:
    document = connection.execute(select(messages.c.document)).scalar_one()
    del document["seal"]
    connection.execute(update(messages).values(document=document))


@pytest.mark.parametrize("attack", [say_something_else, name_another_request, say_it_without_a_seal])
def test_no_button_of_the_bot_stands_below_words_of_somebody_else(
    store: Database, database_url: str, attack: Forge
) -> None:
    """Whoever writes the outbox has the bot post a text: with its own seal its buttons would count there."""
    store.record([], [REMINDER])
    forge(database_url, attack)
    due = store.claim_message("poster")
    assert due
    assert due.message.buttons_of == ""
    # an older version sealed none, and what it left behind is no forgery
    assert bool(store.forgeries()) is (attack is not say_it_without_a_seal)


def test_below_its_own_words_they_stand(store: Database) -> None:
    store.record([], [REMINDER])
    due = store.claim_message("poster")
    assert due and due.message == REMINDER


def append_with(keys: KeyRing | None, store: Database) -> Forge:
    """Append an event whose hash and place are right."""

    def attack(connection: Connection) -> None:
        event = Event("approval.recorded", "success", request_id="r1", actor=BOB)
        made = seal(event, after=store.head(), at=NOW, event_id="e", origin=Origin("x", "1"), keys=keys or KEYS)
        row = {"seq": made.seq, "request_id": "r1", "type": event.type, "body": made.body, "prev": made.prev}
        seals = {"kid": made.kid, "mac": made.mac} if keys else {"kid": "", "mac": ""}
        connection.execute(insert(events).values(**row, hash=made.hash, **seals))
        connection.execute(update(chain_head).values(seq=made.seq, hash=made.hash))

    return attack


@pytest.mark.parametrize(("keys", "why"), [(None, "it has no seal"), (FORGERS_OWN, "its seal is wrong")])
def test_an_event_with_a_right_hash_and_without_our_seal_breaks_the_chain(
    store: Database, database_url: str, keys: KeyRing | None, why: str
) -> None:
    store.record([an_event(), an_event()])
    forge(database_url, append_with(keys, store))
    assert store.verify_chain() == BrokenChain(3, why)
    with pytest.raises(NotSealed, match=f"broken at record 3: {why}"):
        store.events_about("r1")


def test_an_event_that_was_copied_is_none_about_the_request(store: Database, database_url: str) -> None:
    store.record([Event("approval.recorded", "success", request_id="r2", actor=BOB), an_event(), an_event()])
    assert isinstance(store.verify_chain(), VerifiedChain)

    def copy(connection: Connection) -> None:
        row = connection.execute(select(events).where(events.c.seq == 1)).mappings().one()
        copied = {**row, "seq": 2, "request_id": "r3"}
        connection.execute(update(events).where(events.c.seq == 2).values(copied))

    forge(database_url, copy)
    with pytest.raises(NotSealed, match="its content is not what was sealed"):
        store.events_about("r3")
    assert len(store.events_about("r2")) == 1


@pytest.mark.parametrize("seq", [2, 4])
def test_an_event_that_is_hidden_from_its_request_is_missed(store: Database, database_url: str, seq: int) -> None:
    """Neither its text nor any hash is touched: it is only found no more."""
    store.record([Event("approval.recorded", "success", request_id="r2", actor=BOB) for _ in range(4)])
    assert len(store.events_about("r2")) == 4
    forge(
        database_url,
        lambda connection: connection.execute(update(events).where(events.c.seq >= seq).values(request_id="r1")),
    )
    with pytest.raises(NotSealed, match="Event 4 about request r2 is hidden"):
        store.events_about("r2")
    with pytest.raises(NotSealed, match="Event 4 about request r2 is hidden"):
        store.events_about("r2", newest=1)


def test_an_event_that_is_hidden_between_two_others_is_missed_as_well(store: Database, database_url: str) -> None:
    store.record([Event("approval.recorded", "success", request_id="r2", actor=BOB) for _ in range(4)])
    for _ in range(2):
        assert len(store.events_about("r2")) == 4
    forge(
        database_url,
        lambda connection: connection.execute(update(events).where(events.c.seq == 2).values(request_id="r1")),
    )
    with pytest.raises(NotSealed, match="An event about request r2 is hidden"):
        store.events_about("r2")
    store.record([Event("approval.recorded", "success", request_id="r2", actor=BOB)])
    with pytest.raises(NotSealed, match="An event about request r2 is hidden"):
        store.events_about("r2")


def test_a_column_that_says_something_else_than_its_event_breaks_the_chain(
    store: Database, opened: Opening, database_url: str
) -> None:
    store.record([an_event(step=number) for number in range(4)])
    forge(
        database_url,
        lambda connection: connection.execute(update(events).where(events.c.seq == 3).values(request_id="r9")),
    )
    assert opened().verify_chain() == BrokenChain(3, "its content is not what was sealed")


def flip(column: str) -> Forge:
    """Another value in each place of it that says something: a hash may lack any one digit."""
    cell, other = events.c[column], str.maketrans("0123456789", "1234567890")

    def attack(connection: Connection) -> None:
        value = connection.execute(select(cell).where(events.c.seq == 3)).scalar_one()
        values = {cell: "x" if column == "kid" else value.translate(other)}
        connection.execute(update(events).where(events.c.seq == 3).values(values))

    return attack


@pytest.mark.parametrize("column", ["body", "hash", "mac", "prev", "kid"])
def test_a_flipped_byte_is_found_by_a_process_that_starts(
    store: Database, opened: Opening, database_url: str, column: str
) -> None:
    store.record([an_event(step=number) for number in range(11, 16)])
    assert isinstance(store.verify_chain(), VerifiedChain)
    forge(database_url, flip(column))
    found = opened().verify_chain()
    assert isinstance(found, BrokenChain)
    assert found.seq == 3


def cut_the_end(store: Database, seq: int) -> Forge:
    """Delete the newest events, and set the head back with them."""
    hash_ = store.chain(after=seq - 1, limit=1)[0]["hash"]

    def attack(connection: Connection) -> None:
        connection.execute(text("DELETE FROM events WHERE seq > :seq"), {"seq": seq})
        connection.execute(update(chain_head).values(seq=seq, hash=hash_))

    return attack


def test_an_end_that_was_cut_off_is_found_by_whoever_saw_it(
    store: Database, opened: Opening, database_url: str
) -> None:
    """A process that starts afterwards needs an anchor for that (tests/app)."""
    store.record([an_event(step=number) for number in range(6)])
    assert isinstance(store.verify_chain(), VerifiedChain)
    forge(database_url, cut_the_end(store, 3))
    assert store.verify_chain() == BrokenChain(6, "the chain once ended with another record of this number")
    assert isinstance(opened().verify_chain(), VerifiedChain)


def test_a_head_that_was_set_back_hides_nothing_from_those_who_wait_for_its_copy(
    store: Database, database_url: str
) -> None:
    """A required sink has taken everything only once it has come to the newest event that was recorded here."""
    store.record([an_event(step=number) for number in range(6)])
    newest = store.head()
    forge(database_url, lambda connection: connection.execute(update(chain_head).values(seq=2)))
    assert store.head() == newest


def test_a_chain_that_went_on_after_its_end_was_cut_off_is_found(store: Database, database_url: str) -> None:
    store.record([an_event(step=number) for number in range(6)])
    forge(database_url, cut_the_end(store, 3))
    store.record([an_event(step=number) for number in range(9)])
    assert store.verify_chain() == BrokenChain(4, "the chain ended here, but it had reached 6 before")


def test_an_old_key_verifies_what_it_sealed_and_an_unknown_one_breaks_the_chain(
    store: Database, opened: Opening
) -> None:
    store.add(a_request(), events=[an_event()])
    new = SealKey("new", b"\x08" * 32)
    after = opened(keys=KeyRing((new, KEY)))
    after.record([an_event()])
    assert [record["kid"] for record in after.chain()] == ["lab", "new"]
    assert isinstance(after.verify_chain(), VerifiedChain)
    assert after.get("r1").id == "r1"
    without = opened(keys=KeyRing((new,)))
    assert without.verify_chain() == BrokenChain(1, "it was sealed with a key that is not known ('lab')")
    with pytest.raises(NotSealed):
        without.get("r1")


def test_after_an_accepted_break_the_chain_is_judged_from_there(
    store: Database, opened: Opening, database_url: str
) -> None:
    store.record([an_event(step=number) for number in range(11, 16)])
    assert store.stored_chain.accept_break("for fun", by="root", at=NOW, anchor=None) is None
    forge(database_url, flip("body"))
    other = opened()
    broken = other.verify_chain()
    assert other.stored_chain.accept_break("restored", by="root", at=NOW, anchor=None) == broken
    accepted = other.chain()[-1]
    assert accepted["data"]["reason"] == "restored"
    assert (accepted["data"]["seq"], accepted["data"]["after"]) == (3, 5)
    other.record([an_event()])
    for one in (other, store, opened()):
        assert one.verify_chain() == VerifiedChain(2, other.head())
    forge(database_url, lambda connection: connection.execute(text("UPDATE events SET hash = prev WHERE seq = 7")))
    assert isinstance(opened().verify_chain(), BrokenChain)


def with_accepted_break(store: Database, database_url: str) -> int:
    """A chain that goes on after an accepted break; the number of the event that accepts it."""
    store.record([an_event(step=number) for number in range(11, 16)])
    forge(database_url, flip("body"))
    store.stored_chain.accept_break("restored", by="root", at=NOW, anchor=None)
    store.record([an_event(step=number) for number in range(3)])
    assert isinstance(store.verify_chain(), VerifiedChain)
    return 6


def test_an_accepted_break_that_is_hidden_for_a_moment_brings_no_older_end_back(
    store: Database, database_url: str
) -> None:
    """A process that judged the chain anew from there would have forgotten what it had seen."""
    accepted = with_accepted_break(store, database_url)
    forge(database_url, cut_the_end(store, accepted + 1))
    for type_ in ("x", "audit.break_accepted"):
        renamed = update(events).where(events.c.seq == accepted).values(type=type_)
        forge(database_url, lambda connection, renamed=renamed: connection.execute(renamed))  # type: ignore[misc]
        assert isinstance(store.verify_chain(), BrokenChain)


@pytest.mark.parametrize(
    "attack", ["DELETE FROM events WHERE seq = 2", "UPDATE events SET request_id = 'r9' WHERE seq = 1"]
)
def test_what_stands_before_an_accepted_break_stays_as_it_was_accepted(
    store: Database, opened: Opening, database_url: str, attack: str
) -> None:
    """The chain is judged since the break: so what is older would be hidden without a trace."""
    about = Event("approval.recorded", "success", request_id="r2", actor=BOB)
    store.record([about, about, an_event(), about])
    forge(database_url, flip("body"))
    store.stored_chain.accept_break("restored", by="root", at=NOW, anchor=None)
    assert isinstance(opened().verify_chain(), VerifiedChain)
    assert len(store.events_about("r2")) == 3
    forge(database_url, lambda connection: connection.execute(text(attack)))
    why = "what stands before this accepted break was changed since"
    assert opened().verify_chain() == BrokenChain(5, why)
    with pytest.raises(NotSealed, match="An event about request r2 is hidden"):
        store.events_about("r2")
    opened().stored_chain.accept_break("mended", by="root", at=NOW + timedelta(days=1), anchor=None)
    assert isinstance(opened().verify_chain(), VerifiedChain)


def test_nor_does_an_earlier_accepted_break(store: Database, opened: Opening, database_url: str) -> None:
    """The whole log is put back as it was before the newest break: intact, as it was judged from the earlier one."""
    with_accepted_break(store, database_url)
    earlier = rows_of(database_url)
    store.record([an_event()])
    forge(database_url, lambda connection: connection.execute(text("UPDATE events SET hash = prev WHERE seq = 8")))
    later = NOW + timedelta(days=1)
    opened().stored_chain.accept_break("restored again", by="root", at=later, anchor=None)
    assert isinstance(store.verify_chain(), VerifiedChain)

    def put_back(connection: Connection) -> None:
        connection.execute(delete(events))
        connection.execute(insert(events), earlier)
        connection.execute(update(chain_head).values(seq=earlier[-1]["seq"], hash=earlier[-1]["hash"]))

    forge(database_url, put_back)
    assert isinstance(opened().verify_chain(), VerifiedChain), "a process that starts needs an anchor for that"
    assert isinstance(store.verify_chain(), BrokenChain)


def rows_of(url: str) -> list[dict[str, Any]]:
    rows_ = list[dict[str, Any]]()
    forge(
        url,
        lambda connection: rows_.extend(
            dict(one) for one in connection.execute(select(events).order_by(events.c.seq)).mappings()
        ),
    )
    return rows_


def test_nobody_without_a_key_accepts_a_break(store: Database, opened: Opening, database_url: str) -> None:
    store.record([an_event(step=number) for number in range(11, 16)])
    forge(database_url, flip("body"))

    def accept(connection: Connection) -> None:
        event = Event("audit.break_accepted", "success")
        made = seal(event, after=store.head(), at=NOW, event_id="e", origin=Origin("x", "1"), keys=FORGERS_OWN)
        row = {"seq": made.seq, "request_id": "", "type": event.type, "body": made.body, "prev": made.prev}
        connection.execute(insert(events).values(**row, hash=made.hash, kid=made.kid, mac=made.mac))
        connection.execute(update(chain_head).values(seq=made.seq, hash=made.hash))

    forge(database_url, accept)
    found = opened().verify_chain()
    assert isinstance(found, BrokenChain)
    assert found.seq == 3


def test_a_break_is_accepted_where_the_head_was_set_back(store: Database, opened: Opening, database_url: str) -> None:
    store.record([an_event(step=number) for number in range(6)])
    hash_ = store.chain(limit=1)[0]["hash"]
    forge(database_url, lambda connection: connection.execute(update(chain_head).values(seq=1, hash=hash_)))
    assert store.verify_chain() == BrokenChain(2, "the stored end of the chain is not its end")
    store.stored_chain.accept_break("mended", by="root", at=NOW, anchor=None)
    assert store.verify_chain() == VerifiedChain(1, Head(7, store.chain(after=6)[0]["hash"]))
