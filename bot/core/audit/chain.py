"""The audit chain: audit events, how each is sealed onto the one before, and how a chain is verified."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from bot.core.audit.seal_keys import KeyRing
from bot.core.people.identity import PersonId
from bot.core.systemd.units import UnitName

FORMAT = 1
LARGEST = 16 * 1024  # bytes of one sealed event; longer data is cut, and its SHA-256 noted
LONGEST_TEXT = 1000  # characters of a text that are kept if its event is too large
SEALS = ("prev", "hash", "kid", "mac")  # the parts of a record beside its body
DOMAIN = "event"  # of the seals of events
BREAK_ACCEPTED = "audit.break_accepted"  # an operator accepted a break; the chain is judged from this event on


@dataclass(frozen=True, slots=True)
class Event:
    """An audit event: a decision, a refusal or a command, with everything that led to it."""

    type: str  # `request.received`, `approval.voted`, `exec.intent`, ...
    outcome: str  # success | failure | unknown | denied | no_change
    code: str = ""  # machine-readable reason
    request_id: str = ""
    actor: PersonId | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""  # a globally unique id, for an event that something else names; given at the append otherwise
    follows: str | None = None  # the id of the event before it that was stored with a change of its request


@dataclass(frozen=True, slots=True)
class Origin:
    """The process that writes: its name, its version, and the digest of its configuration."""

    instance: str
    version: str
    config_digest: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a chain. Kept outside the database, it is an anchor that shows whether the end was cut off."""

    seq: int
    hash: str


START = Head(0, "0" * 64)


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """An event in the chain: the canonical text that was hashed, the previous hash, its own, and the keyed seal."""

    seq: int
    body: str
    prev: str
    hash: str
    kid: str
    mac: str


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """The chain is intact."""

    count: int
    head: Head


@dataclass(frozen=True, slots=True)
class BrokenChain:
    """The first place where the chain is broken, and why."""

    seq: int
    why: str


def seal(event: Event, *, after: Head, at: datetime, event_id: str, origin: Origin, keys: KeyRing) -> ChainedEvent:
    """Append an event to a chain. `event_id` is globally unique; its sequence number is unique only in this chain.

    The hash holds the chain together, and anybody can compute it; the seal over it can only be made with our key.
    """
    seq = after.seq + 1
    said = {
        "v": FORMAT,
        "event_id": event.id or event_id,
        "seq": seq,
        "ts": at,
        "instance": origin.instance,
        "version": origin.version,
        "config_digest": origin.config_digest,
        "type": event.type,
        "outcome": event.outcome,
        "reason_code": event.code,
        "request_id": event.request_id,
        "follows": event.follows,
        "actor": event.actor,
    }
    body = _within_limit(said, event.data)
    digest = _hash(after.hash, body)
    made = keys.seal(DOMAIN, digest)
    return ChainedEvent(seq, body, after.hash, digest, made.kid, made.mac)


def verify(
    records: Iterable[Mapping[str, Any]], keys: KeyRing, *, start: Head = START, anchor: Head | None = None
) -> VerifiedChain | BrokenChain:
    """Verify a chain from its start: every number, every link, every hash and seal, and the anchor if one is known.

    A chain alone cannot show that its end was cut off; an anchor from outside can.
    """
    head = start
    for record in records:
        why = _fault(record, head) or fault(record, keys)
        if why:
            return BrokenChain(head.seq + 1, why)
        head = Head(head.seq + 1, record["hash"])
        if anchor and anchor.seq == head.seq and anchor.hash != head.hash:
            return BrokenChain(head.seq, "it is not the record that the anchor was taken from")
    if anchor and anchor.seq > head.seq:
        return BrokenChain(head.seq + 1, f"the chain ends here, but it once reached {anchor.seq}")
    return VerifiedChain(head.seq - start.seq, head)


def canonical(value: object) -> str:
    """The one canonical form of a value: JSON on one line, keys sorted, printable ASCII only, no fractions."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def fault(record: Mapping[str, Any], keys: KeyRing) -> str:
    """Why we cannot have sealed this record, wherever it stands; empty if we did."""
    # A sealed body is plain JSON: so this is its canonical form, in a tenth of the time.
    said = {name: record[name] for name in record if name not in SEALS}
    body = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    digest = _hash(str(record.get("prev")), body)
    if record.get("hash") != digest:
        return "its content is not what was sealed"
    return keys.fault(DOMAIN, digest, record.get("kid"), record.get("mac"))


def number_of(record: Mapping[str, Any]) -> int:
    """The number under which a record is stored, whatever it says itself: `found_by` has what differs."""
    return int(record.get("found_by", record)["seq"])


def _fault(record: Mapping[str, Any], head: Head) -> str:
    """Why this record cannot follow that head; empty if it can."""
    if record.get("seq") != head.seq + 1:
        return f"number {head.seq + 1} is missing; {record.get('seq')!r} stands in its place"
    if record.get("prev") != head.hash:
        return "it does not follow from the record before it"
    return ""


def _hash(prev: str, body: str) -> str:
    return hashlib.sha256((prev + body).encode("ascii", "replace")).hexdigest()


def _within_limit(said: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The body with its data: whole, or with long texts cut, or as one cut text."""
    whole = canonical(data)
    for candidate in (data, _cut(_plain(data)), _note(whole, keep=4 * LONGEST_TEXT)):
        body = canonical({**said, "data": candidate})
        if len(body) <= LARGEST:
            return body
    raise ValueError(f"an event of type {said['type']!r} does not fit into {LARGEST} bytes")


def _cut(value: Any) -> Any:
    """A copy of the plain value with every long text cut."""
    match value:
        case str() if len(value) > LONGEST_TEXT:
            return _note(value, keep=LONGEST_TEXT)
        case dict():
            return {key: _cut(item) for key, item in value.items()}
        case list():
            return [_cut(item) for item in value]
    return value


def _note(text: str, *, keep: int) -> dict[str, Any]:
    """The beginning of a text that was cut, and its hash. Lone surrogates are hashed too: a host may print anything."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {"cut": text[:keep], "length": len(text), "sha256": digest}


def _plain(value: object) -> Any:
    """The value in JSON's own types. An unsupported type is a programming error and raises `TypeError`."""
    match value:
        case None | bool():
            return value
        case int():
            return int(value)
        case str() | UnitName():
            return str(value)
        case float():
            return repr(value)  # a number may be written in many ways, but has one repr
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted((_plain(item) for item in value), key=canonical)
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    raise TypeError(f"{type(value).__name__} has no place in an audit event")
