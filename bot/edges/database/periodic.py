"""Duties: what comes round again, or is kept beside the requests. Taken with a lease, kept by compare-and-set."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, update

from bot.edges.database.tables import duties
from bot.edges.database.transactions import DATABASE_CLOCK, NOW, Moment, database_time, insert_new
from bot.errors import Stale
from bot.ports import Periodic

_PULSE = "pulse"  # the row of which nothing matters but that it can be written


def get(connection: Connection, name: str) -> Periodic | None:
    """A duty as it is kept."""
    row = connection.execute(select(duties).where(duties.c.name == name)).first()
    return _duty(row) if row else None


def of_kind(connection: Connection, kind: str) -> list[Periodic]:
    """All whose name begins with the kind and a colon."""
    named = duties.c.name.startswith(f"{kind}:", autoescape=True)
    return [_duty(row) for row in connection.execute(select(duties).where(named).order_by(duties.c.name))]


def keep(connection: Connection, duty: Periodic) -> Periodic:
    """Write the next version over `duty.version`, free to be taken. Raises `Stale`."""
    newer = replace(duty, version=duty.version + 1)
    row = {"document": dict(newer.document), "version": newer.version, "due_at": newer.due_at}
    free = {"owner": None, "lease_until": None}
    if duty.version == 0:
        is_written = insert_new(connection, duties, {"name": duty.name, **row, **free})
    else:
        current = and_(duties.c.name == duty.name, duties.c.version == duty.version)
        is_written = bool(connection.execute(update(duties).where(current).values(**row, **free)).rowcount)
    if not is_written:
        raise Stale(f"The duty {duty.name} was changed by somebody else meanwhile.")
    return newer


def touch(connection: Connection, *, now: datetime) -> None:
    """Write something: SQLite does not write a row again that stays as it is."""
    document = {"at": now.isoformat()}
    if not insert_new(connection, duties, {"name": _PULSE, "document": document, "version": 1}):
        connection.execute(update(duties).where(duties.c.name == _PULSE).values(document=document))


def is_any_due(connection: Connection, *, now: datetime) -> bool:
    """Whether taking one is worth a writing transaction."""
    return connection.execute(_ANY_DUE, {"now": now}).first() is not None


def take(connection: Connection, owner: str, *, now: datetime, lease: timedelta) -> Periodic | None:
    """Take what has been due longest. Whoever held it before can keep it no more: its version has moved on."""
    lease_time = database_time(connection)
    row = connection.execute(
        select(duties)
        .where(_may_be_taken(now, lease_time))
        .order_by(duties.c.due_at, duties.c.name)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    taken = replace(_duty(row), version=row.version + 1)
    held = {"owner": owner, "lease_until": lease_time + lease, "version": taken.version}
    connection.execute(update(duties).where(duties.c.name == row.name).values(**held))
    return taken


def void_all(connection: Connection) -> None:
    """The process that held them is known to be dead."""
    connection.execute(update(duties).where(duties.c.owner.is_not(None)).values(owner=None, lease_until=None))


def _may_be_taken(now: Moment, lease_time: Moment) -> ColumnElement[bool]:
    free = or_(duties.c.owner.is_(None), duties.c.lease_until <= lease_time)
    return and_(duties.c.due_at <= now, free)


_ANY_DUE = select(duties.c.name).where(_may_be_taken(NOW, DATABASE_CLOCK)).limit(1)


def _duty(row: Row[tuple[object, ...]]) -> Periodic:
    return Periodic(row.name, row.document, row.due_at, row.version)
