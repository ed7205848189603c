"""The stored audit chain as one process sees it: it appends to it, reads it, and verifies it again and again."""

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.core.audit.anchor import Anchor
from bot.core.audit.chain import (
    BREAK_ACCEPTED,
    START,
    BrokenChain,
    Event,
    Head,
    Origin,
    VerifiedChain,
    number_of,
    verify,
)
from bot.core.audit.seal_keys import KeyRing
from bot.core.requests import Request
from bot.edges.database import audit_log
from bot.edges.database.seen_events import SeenEvents
from bot.edges.database.transactions import Transactions
from bot.errors import NotSealed
from bot.ports import Work

_PAGE = 1000


class StoredChain:
    """The chain, the newest head that this process has seen, and up to where it has verified the chain.

    Whoever restores an older state of the database cannot make a process forget what it has seen: neither the chain's
    end nor, about each request, how many events there are and which is the newest.
    """

    def __init__(self, transactions: Transactions, keys: KeyRing, origin: Origin) -> None:
        self._transactions = transactions
        self._keys = keys
        self._origin = origin
        self._lock = threading.Lock()
        self._newest = START
        self._set_back: BrokenChain | None = None  # an append did not follow the newest head
        self._verified: Head | None = None
        self._seen = SeenEvents()  # as far as verified
        self._accepted: Mapping[str, Any] | None = None  # the newest event in which an operator accepted a break

    def use_config(self, config_digest: str) -> None:
        """From now on every event names this configuration."""
        self._origin = replace(self._origin, config_digest=config_digest)

    @property
    def judged_since(self) -> int:
        """The number of the record in which the newest break was accepted, as far as is known here; 0 without one."""
        return self._accepted["seq"] if self._accepted else 0

    def append(self, connection: Connection, new: Sequence[Event], *, at: datetime) -> Head | None:
        """Append events; return the new head, to be noted once it is committed."""
        if not new:
            return None
        begin, end = audit_log.append(connection, new, at=at, origin=self._origin)
        newest = self._newest
        if begin.seq < newest.seq or (begin.seq == newest.seq and begin.hash != newest.hash):
            self._set_back = BrokenChain(begin.seq + 1, f"the chain ended here, but it had reached {newest.seq} before")
        return end

    def note(self, head: Head | None) -> None:
        """The chain has reached this head; it is committed."""
        with self._lock:
            if head and head.seq > self._newest.seq:
                self._newest = head

    def head(self) -> Head:
        """The chain's head as it is stored, or the newest that was seen: whoever sets it back hides no event."""
        with self._transactions.reading() as connection:
            stored = audit_log.head(connection)
        return max(stored, self._newest, key=lambda one: one.seq)

    def read(self, *, after: int, limit: int, sealed_only: bool = False) -> list[Mapping[str, Any]]:
        """Records in order."""
        with self._transactions.reading() as connection:
            found = audit_log.read(connection, after=after, limit=limit)
        return audit_log.believed(found, self._keys, since=self.judged_since) if sealed_only else found

    def about(self, request_id: str, *, newest: int | None = None) -> list[Mapping[str, Any]]:
        """All events about a request, or the newest, in order.

        Raises `NotSealed` if one of them is none of ours, if one is hidden, or if the chain is broken.
        """
        verified = self.verify()
        if isinstance(verified, BrokenChain):
            raise NotSealed(f"The audit chain is broken at record {verified.seq}: {verified.why}.")
        seen = self._seen.about(request_id)
        with self._transactions.reading() as connection:
            found = audit_log.about(connection, request_id, newest=newest)
        if seen:
            seen.require_in(found, request_id, are_all=newest is None)
        return found

    def accepted_break(self) -> Mapping[str, Any] | None:
        """The newest event in which an operator accepted a break."""
        with self._transactions.reading() as connection:
            return audit_log.accepted_break(connection, self._keys)

    def missing_keys(self) -> list[str]:
        """The names of keys without which the chain cannot be verified, and which are not among ours."""
        with self._transactions.reading() as connection:
            accepted = audit_log.accepted_break(connection, self._keys)
            named = audit_log.key_names(connection, since=accepted["seq"] if accepted else START.seq)
        return [name for name in named if name not in {key.id for key in self._keys.keys}]

    def accept_break(self, reason: str, *, by: str, at: datetime, anchor: Anchor | None) -> BrokenChain | None:
        """Append the event after which a broken chain is judged anew; None if the chain is not broken."""
        found = self.verify(anchor)
        if not isinstance(found, BrokenChain):
            return None
        data = {"seq": found.seq, "why": found.why, "reason": reason, "by": by}
        with self._transactions.writing() as connection:
            after = audit_log.last(connection)
            before = audit_log.digest(connection, until=after.seq, note=lambda _about, _seq: None)
            known = {"after": after.seq, "hash": after.hash, "before": before}
            event = Event(BREAK_ACCEPTED, "success", data={**data, **known})
            audit_log.append(connection, [event], at=at, origin=self._origin, after=after)
        return found

    def verify(self, anchor: Anchor | None = None) -> VerifiedChain | BrokenChain:
        """Verify what was not verified before, and what the chain must contain: its head, and known older heads.

        After a break that an operator accepted, the chain is judged from the event that says so.
        """
        try:
            return self._verify(anchor)
        except (TypeError, ValueError, AttributeError) as error:  # SQLite keeps anything in any column
            return BrokenChain(self._newest.seq, f"around it a record cannot be read ({type(error).__name__})")

    def _verify(self, anchor: Anchor | None) -> VerifiedChain | BrokenChain:
        with self._transactions.reading() as connection:
            head, accepted = audit_log.head(connection), audit_log.accepted_break(connection, self._keys)
            last = audit_log.last(connection)
        if gone := self._start_over_after(accepted):
            return gone
        if accepted and self._verified is None and (changed := self._why_changed(accepted)):
            return changed
        start = self._verified or (_before(accepted) if accepted else START)
        must_contain = [head, self._newest, *([start] if self._verified else [])]
        if anchor and not (accepted and _when(accepted) > anchor.at):
            must_contain.append(anchor.head)
        misplaced = BrokenChain(head.seq + 1, "the stored end of the chain is not its end") if last != head else None
        new = self._noted(self.records(after=start.seq))
        found = self._set_back or misplaced or verify(new, self._keys, start=start)
        if isinstance(found, VerifiedChain):
            missing = (self._fault(one, found.head) for one in sorted({*must_contain}, key=lambda one: one.seq))
            found = next((fault for fault in missing if fault), found)
        if isinstance(found, VerifiedChain):
            self._verified = found.head
            self.note(found.head)
        return found

    def _start_over_after(self, accepted: Mapping[str, Any] | None) -> BrokenChain | None:
        """Forget what a newly accepted break has overtaken. An older one, or none, shows a chain that was set back."""
        known = self._accepted
        if known and (accepted is None or _when(accepted) < _when(known)):
            return BrokenChain(known["seq"], "the event is gone in which an operator accepted a break")
        if accepted and (known is None or accepted["event_id"] != known["event_id"]):
            with self._lock:
                self._accepted, self._verified, self._newest, self._set_back = accepted, None, START, None
                self._seen.clear()
        return None

    def _noted(self, records: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The records. Whoever asks for the next one has verified the one before: that is remembered."""
        for record in records:
            yield record
            self._seen.note(record["request_id"], record["seq"])

    def _why_changed(self, accepted: Mapping[str, Any]) -> BrokenChain | None:
        """Why what stands before an accepted break is not what was accepted; a bot of an older version did not say."""
        with self._transactions.reading() as connection:
            found = audit_log.digest(connection, until=accepted["seq"] - 1, note=self._seen.note)
        if accepted["data"].get("before", found) == found:
            return None
        return BrokenChain(accepted["seq"], "what stands before this accepted break was changed since")

    def _fault(self, known: Head, end: Head) -> BrokenChain | None:
        """Why the chain does not contain a head that was its end once; None if it does."""
        if known.seq > end.seq:
            return BrokenChain(end.seq + 1, f"the chain ends here, but it once reached {known.seq}")
        record = next(self.records(after=known.seq - 1), None) if known.seq else None
        if known.seq and (record is None or (record["seq"], record["hash"]) != (known.seq, known.hash)):
            return BrokenChain(known.seq, "the chain once ended with another record of this number")
        return None

    def records(self, *, after: int = 0) -> Iterator[Mapping[str, Any]]:
        """All records after that number, read page by page."""
        while page := self.read(after=after, limit=_PAGE):
            yield from page
            after = number_of(page[-1])


@dataclass
class Appending:
    """What a transaction appends, the head that it leaves once it is committed, and whom it wakes then."""

    chain: StoredChain
    connection: Connection
    now: datetime
    head: Head | None = None
    events: list[Event] = field(default_factory=list)
    wakes: set[Work] = field(default_factory=set)  # who has something to do once it is committed

    def append(self, events: Sequence[Event]) -> None:
        """Append events; the chain's head is locked from now on."""
        self.head = self.chain.append(self.connection, events, at=self.now)
        self.events += events


def linked(request: Request, events: Sequence[Event]) -> tuple[Request, Sequence[Event]]:
    """A request that names the last of these events, which name each the one before it.

    So a row that is put back as it was does not fit the log, and neither does what is made of it.
    """
    last, named = request.last_event, list[Event]()
    for event in events:
        is_about_it = event.request_id == request.id
        named.append(replace(event, id=event.id or uuid.uuid4().hex, follows=last) if is_about_it else event)
        last = named[-1].id if is_about_it else last
    return replace(request, last_event=last), named


def _when(accepted: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(accepted["ts"])


def _before(accepted: Mapping[str, Any]) -> Head:
    return Head(accepted["seq"] - 1, accepted["prev"])
