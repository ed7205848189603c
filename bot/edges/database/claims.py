"""Who works on what: a target is claimed with a lease, and every later write must match the claim's fence."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, literal, null, or_, select, true, update

from bot.core.requests import Request, Stage
from bot.edges.database import rows
from bot.edges.database.tables import UtcTime, requests, targets
from bot.edges.database.transactions import DATABASE_CLOCK, NOW, Moment, database_time
from bot.errors import LostClaim, NotOurs
from bot.ports import Claim


def is_any_due(connection: Connection, *, now: datetime) -> bool:
    """Whether a claim is worth a writing transaction."""
    return connection.execute(_ANY_DUE, {"now": now}).first() is not None


def take(connection: Connection, owner: str, *, now: datetime, lease: timedelta) -> Claim | None:
    """Claim what has been due longest; what another is just claiming is passed over, not waited for.

    What a newer version wrote in words that this one does not know is left to that one.
    """
    lease_time = database_time(connection)
    due = connection.execute(
        select(targets.c.request_id, targets.c.fence)
        .where(_may_be_claimed(now, lease_time))
        .order_by(targets.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if due is None:
        return None
    connection.execute(
        update(targets)
        .where(targets.c.request_id == due.request_id)
        .values(owner=owner, fence=due.fence + 1, lease_until=lease_time + lease, called=False)
    )
    try:
        (request,) = rows.read(connection, select(requests).where(requests.c.id == due.request_id))
    except NotOurs:
        return None  # it stays leased for a while, so that it stands in nobody's way
    return Claim(request, owner, due.fence + 1)


def _may_be_claimed(now: Moment, lease_time: Moment) -> ColumnElement[bool]:
    free = or_(targets.c.owner.is_(None), targets.c.lease_until <= lease_time)
    return and_(targets.c.due_at <= now, free)


_ANY_DUE = select(targets.c.request_id).where(_may_be_claimed(NOW, DATABASE_CLOCK)).limit(1)


def renew(connection: Connection, claim: Claim, *, lease: timedelta) -> None:
    """Extend the lease from now on. One that ran out is still ours as long as nobody took it. Raises `LostClaim`."""
    until = database_time(connection) + lease
    _under(connection, claim, lease_until=until)


def release(connection: Connection, claim: Claim, *, due_at: datetime | None, now: datetime) -> None:
    """Give it back. What happened while it was claimed (a vote) makes it due at once. Raises `LostClaim`."""
    due = case((targets.c.called, literal(now, UtcTime)), else_=literal(due_at, UtcTime))
    _under(connection, claim, owner=null(), lease_until=null(), due_at=due)


def _under(connection: Connection, claim: Claim, **values: object) -> None:
    if not connection.execute(update(targets).where(is_held(claim)).values(**values)).rowcount:
        raise LostClaim(f"The claim on request {claim.request.id} has passed to another owner.")


def is_held(claim: Claim) -> ColumnElement[bool]:
    """The condition that the claim still stands."""
    mine = and_(targets.c.owner == claim.owner, targets.c.fence == claim.fence)
    return and_(targets.c.request_id == claim.request.id, mine)


def call(connection: Connection, request: Request, *, due_at: datetime | None) -> None:
    """Somebody other than its owner changed the request: due then, and if it is claimed, looked at again after."""
    stays = or_(targets.c.called, targets.c.owner.is_not(None))
    connection.execute(
        update(targets)
        .where(targets.c.request_id == request.id)
        .values(
            due_at=case((stays, targets.c.due_at), else_=literal(due_at, UtcTime)),
            called=case((targets.c.owner.is_not(None), true()), else_=targets.c.called),
        )
    )


def make_due(connection: Connection, request_id: str, *, now: datetime) -> None:
    """Something happened: due now, and if it is claimed, looked at again after."""
    _hurry(connection, targets.c.request_id == request_id, now)


def make_all_due(connection: Connection, stages: Collection[Stage], *, now: datetime) -> None:
    """Something happened that is about every request in these stages."""
    concerned = select(requests.c.id).where(requests.c.stage.in_([stage.value for stage in stages]))
    _hurry(connection, targets.c.request_id.in_(concerned), now)


def _hurry(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    due_at = case((targets.c.due_at <= now, targets.c.due_at), else_=literal(now, UtcTime))
    connection.execute(update(targets).where(which).values(due_at=due_at, called=True))


def void_all(connection: Connection) -> None:
    """The process that held them is known to be dead: what it had claimed is due as it was before."""
    connection.execute(update(targets).where(targets.c.owner.is_not(None)).values(owner=None, lease_until=None))
