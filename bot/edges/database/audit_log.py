"""The audit log's table: a hash chain, appended in the transaction of the change that it records."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from bot.core.audit.chain import BREAK_ACCEPTED, START, Event, Head, Origin, fault, number_of, seal
from bot.core.audit.seal_keys import KeyRing
from bot.edges.database.engine import read_json
from bot.edges.database.seals import seals_of
from bot.edges.database.tables import IS_ACCEPTED_BREAK, chain_head, events
from bot.errors import NotSealed

_FOUND_BY = ("seq", "request_id", "type")  # columns: where one says something else, the event is not what was sealed

_INSERT, _SET_HEAD = insert(events), update(chain_head)
_HEAD = select(chain_head.c.seq, chain_head.c.hash)
_HEAD_TO_LOCK = _HEAD.with_for_update()


def append(
    connection: Connection, new: Sequence[Event], *, at: datetime, origin: Origin, after: Head | None = None
) -> tuple[Head, Head]:
    """Append events to the chain, and return its head before and after.

    The head stays locked until the transaction ends, so this comes last in it. `after` replaces a wrong head.
    """
    begin = end = after or head(connection, lock=True)
    rows, keys = [], seals_of(connection).keys
    for event in new:
        sealed = seal(event, after=end, at=at, event_id=uuid.uuid4().hex, origin=origin, keys=keys)
        end = Head(sealed.seq, sealed.hash)
        rows.append(
            {
                "seq": sealed.seq,
                "request_id": event.request_id,
                "type": event.type,
                "body": sealed.body,
                "prev": sealed.prev,
                "hash": sealed.hash,
                "kid": sealed.kid,
                "mac": sealed.mac,
            }
        )
    connection.execute(_INSERT, rows)
    _set_head(connection, end)
    return begin, end


def _set_head(connection: Connection, end: Head) -> None:
    """Set the head, also where somebody took its row away."""
    if not connection.execute(_SET_HEAD, {"seq": end.seq, "hash": end.hash}).rowcount:
        connection.execute(insert(chain_head), {"id": 1, "seq": end.seq, "hash": end.hash})


def last(connection: Connection) -> Head:
    """The head, or the last record if that is further on: where a chain can go on whose head was tampered with."""
    row = connection.execute(select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)).first()
    stored = head(connection)
    return Head(row.seq, row.hash) if row and row.seq > stored.seq else stored


def accepted_break(connection: Connection, keys: KeyRing) -> Mapping[str, Any] | None:
    """The newest event of ours in which an operator accepted a break."""
    chosen = select(events).where(IS_ACCEPTED_BREAK).order_by(events.c.seq.desc())
    found = _records(connection.execute(chosen).mappings())
    return next((one for one in found if one["type"] == BREAK_ACCEPTED and not fault(one, keys)), None)


def digest(connection: Connection, *, until: int, note: Callable[[str, int], None]) -> str:
    """A hash over the rows up to this number as they stand, whatever is in them; each request and number is noted."""
    chosen = select(events).where(events.c.seq <= until).order_by(events.c.seq)
    said = hashlib.sha256()
    for row in connection.execute(chosen.execution_options(yield_per=1000)):
        note(row.request_id, row.seq)
        said.update(json.dumps([*row]).encode() + b"\n")
    return said.hexdigest()


def key_names(connection: Connection, *, since: int) -> list[str]:
    """The names of the keys that sealed events from this one on, in the order of their first."""
    chosen = select(events.c.kid).where(events.c.seq >= since).group_by(events.c.kid).order_by(func.min(events.c.seq))
    return list(connection.execute(chosen).scalars())


def about(connection: Connection, request_id: str, *, newest: int | None = None) -> list[Mapping[str, Any]]:
    """All events about a request, or the newest, in order. Raises `NotSealed` if one of them is none of ours."""
    chosen = select(events).where(events.c.request_id == request_id).order_by(events.c.seq.desc()).limit(newest)
    rows, keys = connection.execute(chosen).mappings().all()[::-1], seals_of(connection).keys
    found = list(_records(rows))
    for record in found:
        if why := fault(record, keys):
            raise NotSealed(f"Event {record['seq']} about request {request_id} was not recorded by the bot ({why}).")
    return found


def head(connection: Connection, *, lock: bool = False) -> Head:
    """The head of the chain; its start where somebody took the row away, so that this is found to be wrong."""
    row = connection.execute(_HEAD_TO_LOCK if lock else _HEAD).first()
    return Head(row.seq, row.hash) if row else START


def read(connection: Connection, *, after: int, limit: int) -> list[Mapping[str, Any]]:
    """Read records in order: each event as it was sealed, with its hashes."""
    chosen = select(events).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
    return list(_records(connection.execute(chosen).mappings()))


def believed(records: Iterable[Mapping[str, Any]], keys: KeyRing, *, since: int) -> list[Mapping[str, Any]]:
    """The records up to the first that is none of ours; older ones than `since` were accepted as they are."""
    return list(takewhile(lambda one: number_of(one) < since or not fault(one, keys), records))


def _records(rows: Iterable[Mapping[Any, Any]]) -> Iterator[Mapping[str, Any]]:
    """Each event as it was sealed. One that says something else than its columns has them beside it: no seal fits."""
    for row in rows:
        body, links = read_json(row["body"]), {name: row[name] for name in ("prev", "hash", "kid", "mac")}
        found_by = {name: row[name] for name in _FOUND_BY}
        said = body if isinstance(body, dict) else {}
        is_its_own = all(said.get(name) == value for name, value in found_by.items())
        yield found_by | said | links | ({} if is_its_own else {"found_by": found_by})
