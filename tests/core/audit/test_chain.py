"""The chain shows every change of what was recorded; only its cut-off end needs an anchor."""

import hashlib
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.audit.chain import (
    LARGEST,
    START,
    BrokenChain,
    ChainedEvent,
    Event,
    Head,
    Origin,
    VerifiedChain,
    canonical,
    seal,
    verify,
)
from bot.core.people.identity import PersonId
from bot.core.requests import Verb
from bot.core.systemd.units import UnitName
from tests.lab.keys import KEYS

ORIGIN = Origin("bot-1", "1.2.3", "c0ffee")
AT = datetime(2026, 3, 1, 3, 0, 0, 123456, tzinfo=UTC)

Record = dict[str, Any]


def sealed(event: Event, after: Head = START) -> ChainedEvent:
    return seal(event, after=after, at=AT, event_id="e", origin=ORIGIN, keys=KEYS)


def record(one: ChainedEvent) -> Record:
    body: Record = json.loads(one.body)
    return body | {"prev": one.prev, "hash": one.hash, "kid": one.kid, "mac": one.mac}


def chain(length: int) -> list[Record]:
    head, records = START, []
    for number in range(length):
        one = sealed(
            Event("exec.intent", "success", request_id=f"r{number}", data={"argv": ["mask", str(number)]}), head
        )
        records.append(record(one))
        head = Head(one.seq, one.hash)
    return records


def end(records: list[Record]) -> Head:
    return Head(records[-1]["seq"], records[-1]["hash"])


def body_of(data: dict[str, Any]) -> Record:
    parsed: Record = json.loads(sealed(Event("t", "success", data=data)).body)
    return parsed


def test_an_untouched_chain_is_verified_up_to_its_head() -> None:
    records = chain(5)
    assert verify(records, KEYS, anchor=end(records)) == VerifiedChain(5, end(records))


def test_an_empty_chain_is_whole() -> None:
    assert verify([], KEYS) == VerifiedChain(0, START)


def test_a_part_of_a_chain_is_verified_from_the_head_before_it() -> None:
    records = chain(5)
    assert verify(records[2:], KEYS, start=end(records[:2])) == VerifiedChain(3, end(records))


def test_the_hash_can_be_computed_by_anybody_from_the_record() -> None:
    first = sealed(Event("t", "success"))
    assert first.hash == hashlib.sha256(f"{'0' * 64}{first.body}".encode()).hexdigest()


def flip_a_byte(records: list[Record]) -> None:
    records[2]["data"]["argv"][1] = "3"


def rename_the_actor(records: list[Record]) -> None:
    records[2]["actor"] = {"team": "T", "user": "U", "enterprise": ""}


def swap_two(records: list[Record]) -> None:
    records[2], records[3] = records[3], records[2]


def delete_from_the_middle(records: list[Record]) -> None:
    del records[2]


def delete_and_renumber(records: list[Record]) -> None:
    del records[2]
    for number, each in enumerate(records, 1):
        each["seq"] = number


def rehash_one(records: list[Record]) -> None:
    records[2]["outcome"] = "denied"
    body = {key: value for key, value in records[2].items() if key not in ("prev", "hash", "kid", "mac")}
    records[2]["hash"] = hashlib.sha256((records[2]["prev"] + canonical(body)).encode()).hexdigest()


def lose_a_field(records: list[Record]) -> None:
    del records[2]["hash"]


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [
        (flip_a_byte, 3),
        (rename_the_actor, 3),
        (swap_two, 3),
        (delete_from_the_middle, 3),
        (delete_and_renumber, 3),
        (rehash_one, 3),  # anybody can compute the hash, but not the seal over it
        (lose_a_field, 3),
    ],
)
def test_a_touched_chain_is_broken_where_it_was_touched(tamper: Callable[[list[Record]], None], seq: int) -> None:
    records = chain(6)
    tamper(records)
    answer = verify(records, KEYS)
    assert isinstance(answer, BrokenChain)
    assert (answer.seq, bool(answer.why)) == (seq, True)


def test_a_tail_that_was_cut_off_shows_only_against_an_anchor() -> None:
    records = chain(5)
    assert isinstance(verify(records[:3], KEYS), VerifiedChain)
    assert verify(records[:3], KEYS, anchor=end(records)) == BrokenChain(
        4, "the chain ends here, but it once reached 5"
    )


def test_a_chain_that_was_made_anew_shows_only_against_an_anchor() -> None:
    records = chain(5)
    forged = [record(sealed(Event("exec.intent", "denied")))]
    assert isinstance(verify(forged, KEYS), VerifiedChain)
    answer = verify(forged, KEYS, anchor=end(records[:1]))
    assert isinstance(answer, BrokenChain)
    assert answer.seq == 1


def test_the_body_tells_who_wrote_what_and_when_to_the_millisecond_in_utc() -> None:
    east = AT.astimezone(timezone(timedelta(hours=5)))
    event = Event("approval.voted", "denied", "self_approval", "r1", PersonId("T1", "U1", "E1"), {"need": 2})
    body = json.loads(seal(event, after=Head(7, "f" * 64), at=east, event_id="e8", origin=ORIGIN, keys=KEYS).body)
    assert body == {
        "v": 1,
        "event_id": "e8",
        "seq": 8,
        "ts": "2026-03-01T03:00:00.123Z",
        "instance": "bot-1",
        "version": "1.2.3",
        "config_digest": "c0ffee",
        "type": "approval.voted",
        "outcome": "denied",
        "reason_code": "self_approval",
        "request_id": "r1",
        "follows": None,
        "actor": {"team": "T1", "user": "U1", "enterprise": "E1"},
        "data": {"need": 2},
    }


def test_values_of_the_core_are_written_plainly() -> None:
    data = {
        "verb": Verb.MASK,
        "unit": UnitName("cron.service"),
        "at": AT,
        "names": frozenset({"b", "a"}),
        "argv": ("a", 1, None, True),
        "load": 0.5,
    }
    assert body_of(data)["data"] == {
        "verb": "mask",
        "unit": "cron.service",
        "at": "2026-03-01T03:00:00.123Z",
        "names": ["a", "b"],
        "argv": ["a", 1, None, True],
        "load": "0.5",
    }


@pytest.mark.parametrize("number", [math.nan, math.inf, 1e300])
def test_no_number_is_written_that_json_readers_disagree_about(number: float) -> None:
    assert body_of({"x": number})["data"] == {"x": repr(number)}


def test_what_has_no_spelling_is_refused_not_guessed() -> None:
    with pytest.raises(TypeError, match="object has no place"):
        sealed(Event("t", "success", data={"x": object()}))


def test_nothing_foreign_can_end_a_line_or_steer_a_terminal() -> None:
    nasty = "one\ntwo\r\x1b[2J\u2028\x85\u202e\ud800 end"
    body = sealed(Event("t", "success", data={"reason": nasty, nasty: 1})).body
    assert body.isascii()
    assert body.isprintable()
    assert json.loads(body)["data"]["reason"] == nasty


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_whatever_is_sealed_is_read_back_as_sealed(data: dict[str, Any]) -> None:
    one = sealed(Event("t", "success", data=data))
    read_back = json.loads(canonical(record(one)))
    assert verify([read_back], KEYS) == VerifiedChain(1, Head(one.seq, one.hash))
    assert len(one.body) <= LARGEST


def test_a_long_text_is_cut_and_its_hash_noted_while_the_rest_stays() -> None:
    output = "é" * 20_000
    data = body_of({"argv": ["systemctl", "stop"], "output": output, "lines": [output]})["data"]
    assert data["argv"] == ["systemctl", "stop"]
    assert data["output"] == {
        "cut": "é" * 1000,
        "length": 20_000,
        "sha256": hashlib.sha256(output.encode()).hexdigest(),
    }
    assert data["lines"] == [data["output"]]


def test_data_of_very_many_parts_is_cut_as_a_whole() -> None:
    one = sealed(Event("t", "success", data={f"unit-{number}": "x" * 100 for number in range(500)}))
    data = json.loads(one.body)["data"]
    assert data["cut"].startswith('{"unit-0":')
    assert len(one.body) <= LARGEST
    assert isinstance(verify([record(one)], KEYS), VerifiedChain)


@pytest.mark.parametrize("sign", ["\\", '"', "\U0001f600", "\ud800"])
def test_no_text_is_too_awkward_to_be_cut(sign: str) -> None:
    assert len(sealed(Event("t", "success", data={"x": sign * 30_000, "y": [sign * 900] * 90})).body) <= LARGEST


def test_an_event_that_cannot_be_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        sealed(Event("t", "success", request_id="r" * LARGEST))
