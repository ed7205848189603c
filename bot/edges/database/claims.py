"""Claims: a target is claimed with a lease, and every later write must match the claim's fence."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from bot.core.requests import Request, Stage
from bot.edges.database import rows
from bot.edges.database.rollouts import how_far
from bot.edges.database.tables import UtcTime, requests, targets
from bot.edges.database.transactions import NOW, database_time, is_free
from bot.errors import LostClaim, NoSuchRequest, NotSealed, WrittenByNewerVersion
from bot.ports import Claim

# Statements that run at every save or claim, built once: to build one costs as much as to run it.
_OF_REQUEST = targets.c.request_id == bindparam("of_request")
WRITE = update(targets).where(_OF_REQUEST)
WRITE_CLAIMED = update(targets).where(  # if the claim still stands
    _OF_REQUEST, targets.c.owner == bindparam("by_owner"), targets.c.fence == bindparam("at_fence")
)
_AT = bindparam("at", type_=UtcTime)
_IS_CLAIMED = targets.c.owner.is_not(None)
_RELEASE = WRITE_CLAIMED.values(
    owner=null(), lease_until=null(), due_at=case((targets.c.changed_since_claim, NOW), else_=_AT)
)
_AFTER_CHANGE = WRITE.values(
    due_at=case((or_(targets.c.changed_since_claim, _IS_CLAIMED), targets.c.due_at), else_=_AT),
    changed_since_claim=case((_IS_CLAIMED, true()), else_=targets.c.changed_since_claim),
)


class Due:
    """What is due: all requests, or only those that are not the target of a rollout."""

    def __init__(self, *which: ColumnElement[bool]) -> None:
        may_be_claimed = and_(targets.c.due_at <= NOW, is_free(targets), *which)
        self._any = select(targets.c.request_id).where(may_be_claimed).limit(1)
        self._next = (
            select(targets.c.request_id, targets.c.fence)
            .where(may_be_claimed)
            .order_by(targets.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    def is_any_due(self, connection: Connection, *, now: datetime) -> bool:
        """Whether something is due, so that a writing transaction is worthwhile."""
        return connection.execute(self._any, {"now": now}).first() is not None

    def take(self, connection: Connection, owner: str, *, now: datetime, lease: timedelta) -> Claim | None:
        """Claim what has been due longest; rows that another replica is claiming are skipped.

        A request with values of a newer version is left to that version, and a forged one to the operators.
        """
        due = connection.execute(self._next, {"now": now}).first()
        if due is None:
            return None
        held = {"owner": owner, "fence": due.fence + 1, "lease_until": database_time(connection) + lease}
        connection.execute(WRITE, {**held, "changed_since_claim": False, "of_request": due.request_id})
        try:
            request = rows.read_one(connection, due.request_id)
        except (WrittenByNewerVersion, NotSealed):
            return None  # it stays leased for a while, so that it blocks no other
        return Claim(request, owner, due.fence + 1) if request else None


ALL = Due()
SINGLE = Due(~exists().where(requests.c.id == targets.c.request_id, requests.c.rollout != ""))


def renew(connection: Connection, claims: Iterable[Claim], *, lease: timedelta) -> list[Claim]:
    """Extend the leases from now; return those that are lost. An expired one is ours as long as nobody took it."""
    until = {"lease_until": database_time(connection) + lease}
    return [one for one in claims if not connection.execute(WRITE_CLAIMED, held(one) | until).rowcount]


def release(connection: Connection, claim: Claim, *, due_at: datetime | None, now: datetime) -> None:
    """Release the claim. A vote that came meanwhile makes the request due at once. Raises `LostClaim`."""
    if not connection.execute(_RELEASE, held(claim) | {"now": now, "at": due_at}).rowcount:
        raise LostClaim(claim.request.id)


def held(claim: Claim) -> dict[str, object]:
    """What `WRITE_CLAIMED` asks for."""
    return {"of_request": claim.request.id, "by_owner": claim.owner, "at_fence": claim.fence}


def make_due_after_change(connection: Connection, request: Request, *, due_at: datetime | None) -> None:
    """Make a request due at a time after somebody else changed it; if it is claimed, it is checked again afterwards."""
    connection.execute(_AFTER_CHANGE, {"at": due_at, "of_request": request.id})


def make_due(connection: Connection, request_id: str, *, now: datetime) -> None:
    """Make a request due now, unless it is over; a rollout also then, whose targets may have news.

    If it is claimed, it is checked again afterwards. Only columns are read: nobody acts before its row is verified.
    Raises `NoSuchRequest`.
    """
    of_request = targets.c.request_id == request_id
    if not connection.execute(select(targets.c.request_id).where(of_request).with_for_update()).all():
        raise NoSuchRequest(f"There is no request {request_id}.")
    request = how_far(connection, request_id)
    if request.is_rollout or not Stage(request.stage).is_final:
        _set_due(connection, of_request, now)


def make_all_due(connection: Connection, stages: Collection[Stage], *, now: datetime) -> None:
    """Make every request in these stages due now."""
    concerned = select(requests.c.id).where(requests.c.stage.in_([stage.value for stage in stages]))
    _set_due(connection, targets.c.request_id.in_(concerned), now)


def _set_due(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    due_at = case((targets.c.due_at <= now, targets.c.due_at), else_=literal(now, UtcTime))
    connection.execute(update(targets).where(which).values(due_at=due_at, changed_since_claim=True))


def void_all(connection: Connection) -> None:
    """Release all claims of a process that is known to be dead; their requests are due as before."""
    connection.execute(update(targets).where(targets.c.owner.is_not(None)).values(owner=None, lease_until=None))
