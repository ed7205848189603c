"""The audit log's table: a hash chain, appended in the transaction of the change that it records."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.core.audit.chain import Event, Head, Origin, seal
from bot.edges.database.tables import chain_head, events


def append(connection: Connection, new: Sequence[Event], *, at: datetime, origin: Origin) -> None:
    """Append events to the chain. The head stays locked until the transaction ends, so this comes last in it."""
    if not new:
        return
    end = head(connection, lock=True)
    rows = []
    for event in new:
        sealed = seal(event, after=end, at=at, event_id=uuid.uuid4().hex, origin=origin)
        end = Head(sealed.seq, sealed.hash)
        rows.append(
            {
                "seq": sealed.seq,
                "request_id": event.request_id,
                "type": event.type,
                "body": sealed.body,
                "prev": sealed.prev,
                "hash": sealed.hash,
            }
        )
    connection.execute(insert(events), rows)
    connection.execute(update(chain_head).values(seq=end.seq, hash=end.hash))


def head(connection: Connection, *, lock: bool = False) -> Head:
    """The head of the chain."""
    chosen = select(chain_head.c.seq, chain_head.c.hash)
    row = connection.execute(chosen.with_for_update() if lock else chosen).one()
    return Head(row.seq, row.hash)


def read(connection: Connection, *, after: int, limit: int) -> list[Mapping[str, Any]]:
    """Read records in order: each event as it was sealed, with its hashes."""
    chosen = select(events).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
    return list(_records(connection.execute(chosen).mappings()))


def _records(rows: Iterable[Mapping[Any, Any]]) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        links = {name: row[name] for name in ("prev", "hash", "kid", "mac")}
        yield json.loads(row["body"]) | links
