"""Periodic tasks: what comes round again, or is kept beside the requests. Claimed under a lease, saved by version."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, select, update

from bot.edges.database.seals import seals_of
from bot.edges.database.tables import periodic_tasks
from bot.edges.database.transactions import NOW, database_time, insert_new, is_free
from bot.errors import NotSealed, Stale
from bot.ports import Periodic

_BY_NAME = select(periodic_tasks).where(periodic_tasks.c.name == bindparam("name"))
_HEARTBEAT = "heartbeat"  # a row that is written only to test whether the database is writable


def get(connection: Connection, name: str) -> Periodic | None:
    """A task as it is stored. Raises `NotSealed`."""
    row = connection.execute(_BY_NAME, {"name": name}).first()
    return _task(connection, row) if row else None


def of_kind(connection: Connection, kind: str) -> list[Periodic]:
    """All tasks whose name begins with the kind and a colon."""
    named = periodic_tasks.c.name.startswith(f"{kind}:", autoescape=True)
    chosen = connection.execute(select(periodic_tasks).where(named).order_by(periodic_tasks.c.name))
    return [_task(connection, row) for row in chosen]


def save(connection: Connection, task: Periodic, *, forced: bool = False) -> Periodic:
    """Write the next version over `task.version`, or `forced` over any, free to be taken. Raises `Stale`."""
    if forced:
        stored = select(periodic_tasks.c.version).where(periodic_tasks.c.name == task.name).with_for_update()
        task = replace(task, version=connection.execute(stored).scalar() or 0)
    newer = replace(task, version=task.version + 1)
    document = dict(newer.document)
    sealed = seals_of(connection).of_task(newer.name, document)
    row = {"document": document, "version": newer.version, "due_at": newer.due_at, "seal": sealed}
    free = {"owner": None, "lease_until": None}
    if task.version == 0:
        is_written = insert_new(connection, periodic_tasks, {"name": task.name, **row, **free})
    else:
        current = and_(periodic_tasks.c.name == task.name, periodic_tasks.c.version == task.version)
        is_written = bool(connection.execute(update(periodic_tasks).where(current).values(**row, **free)).rowcount)
    if not is_written:
        raise Stale(f"The task {task.name} was changed by somebody else meanwhile.")
    return newer


def touch(connection: Connection, *, now: datetime) -> None:
    """Write a changed value: SQLite does not write a row again that is unchanged."""
    document = {"at": now.isoformat()}
    row = {"name": _HEARTBEAT, "document": document, "version": 1, "seal": ""}
    if not insert_new(connection, periodic_tasks, row):
        connection.execute(update(periodic_tasks).where(periodic_tasks.c.name == _HEARTBEAT).values(document=document))


def is_any_due(connection: Connection, *, now: datetime) -> bool:
    """Whether something is due, so that a writing transaction is worthwhile."""
    return connection.execute(_ANY_DUE, {"now": now}).first() is not None


def take(connection: Connection, owner: str, *, now: datetime, lease: timedelta) -> Periodic | None:
    """Claim the task that has been due longest. An earlier holder cannot save it any more: its version has changed.

    A forged task is left to the operators.
    """
    row = connection.execute(_NEXT, {"now": now}).first()
    if row is None:
        return None
    held = {"owner": owner, "lease_until": database_time(connection) + lease, "version": row.version + 1}
    connection.execute(update(periodic_tasks).where(periodic_tasks.c.name == row.name).values(**held))
    try:
        return replace(_task(connection, row), version=row.version + 1)
    except NotSealed:
        return None  # it stays leased for a while, so that it blocks no other


def void_all(connection: Connection) -> None:
    """Release the tasks of a process that is known to be dead."""
    connection.execute(
        update(periodic_tasks).where(periodic_tasks.c.owner.is_not(None)).values(owner=None, lease_until=None)
    )


_MAY_BE_TAKEN = and_(periodic_tasks.c.due_at <= NOW, is_free(periodic_tasks))
_ANY_DUE = select(periodic_tasks.c.name).where(_MAY_BE_TAKEN).limit(1)
_NEXT = (
    select(periodic_tasks)
    .where(_MAY_BE_TAKEN)
    .order_by(periodic_tasks.c.due_at, periodic_tasks.c.name)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def _task(connection: Connection, row: Row[Any]) -> Periodic:
    if why := seals_of(connection).fault_of_task(row.name, row.document, row.seal):
        raise NotSealed(f"The task {row.name} is not what the bot recorded ({why}), so nothing is done by it.")
    return Periodic(row.name, row.document, row.due_at, row.version)
