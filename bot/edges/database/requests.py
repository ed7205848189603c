"""The requests' tables: recorded once per key, replaced only by whoever has read the newest version."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.requests import Request, Tally, Vote
from bot.core.requests.timers import first_due, next_due
from bot.edges.database import audit_log, claims, rows
from bot.edges.database.seals import seals_of
from bot.edges.database.tables import requests, targets, votes
from bot.edges.database.transactions import insert_new
from bot.errors import HostBusy, LostClaim, NoSuchRequest, Stale
from bot.ports import Claim, Count, Query

_REPLACE = update(requests).where(requests.c.id == bindparam("of_id"), requests.c.version == bindparam("of_version"))


def add(connection: Connection, request: Request, provided: Callable[[Count], None] | None = None) -> bool:
    """Record a new request, due when it says, or at once; False if its key is taken.

    `provided` is called where all writers queue: each request is recorded with an event at the chain's head.
    """
    if provided:
        audit_log.head(connection, lock=True)
        if not count(connection, Query(key=request.key)):
            provided(partial(count, connection))
    row, target = rows.request_row(request), rows.target_row(request)
    if not insert_new(connection, requests, row | {"seal": _seal(connection, row, target, request)}):
        return False
    due_at = first_due(request)
    claimable = {"request_id": request.id, "due_at": due_at, "changed_since_claim": False, "fence": 0}
    connection.execute(insert(targets).values(target | claimable))
    _write_votes(connection, request.id, request.votes)
    return True


def with_key(connection: Connection, key: str) -> Request:
    """The request that was recorded under this key."""
    request_id = connection.execute(select(requests.c.id).where(requests.c.key == key)).scalar_one()
    return get(connection, request_id, locked=True)


def get(connection: Connection, request_id: str, *, locked: bool = False) -> Request:
    """Read a request. A transaction that writes locks it first, if it has not done so already.

    Raises `NoSuchRequest` and `NotSealed`.
    """
    if locked:
        rows.lock(connection, request_id)
    found = rows.read_one(connection, request_id)
    if found is None:
        raise NoSuchRequest(f"There is no request {request_id}.")
    return found


def find(connection: Connection, query: Query) -> list[Request]:
    """The requests that match, newest first, without those that are not what a bot of ours wrote.

    Columns find them, and what is sealed counts.
    """
    return [one for one in rows.read(connection, _matching(query), skip_forged=True) if _is_wanted(one, query)]


def _is_wanted(found: Request, query: Query) -> bool:
    is_of_them = query.requester is None or query.requester.key == found.owner.key
    return is_of_them and (found.is_live_mask or not query.live_masks)


def count(connection: Connection, query: Query) -> int:
    """How many match, whatever the limit."""
    matching = _matching(query).with_only_columns(requests.c.id).order_by(None).limit(None)
    counted: int = connection.execute(select(func.count()).select_from(matching.subquery())).scalar_one()
    return counted


def _matching(query: Query) -> Select[tuple[object, ...]]:
    chosen = rows.WITH_TARGETS.order_by(requests.c.asked_at.desc(), requests.c.id.desc()).limit(query.limit)
    if query.stages:
        chosen = chosen.where(requests.c.stage.in_([stage.value for stage in query.stages]))
    if query.live_masks:
        chosen = chosen.where(requests.c.live_mask)
    if query.sign_offs_owed:
        chosen = chosen.where(_owes_sign_off())
    if query.requester:
        org, user = query.requester.key
        chosen = chosen.where(requests.c.requester_org == org, requests.c.requester_user == user)
    if query.key:
        chosen = chosen.where(requests.c.key == query.key)
    if query.rollout is not None:
        chosen = chosen.where(requests.c.rollout == query.rollout)
    if query.since:
        chosen = chosen.where(requests.c.asked_at >= query.since)
    return chosen.where(*_has_target(query))


def _owes_sign_off() -> ColumnElement[bool]:
    """Requests with an open break-glass sign-off. Such a request is due, which has an index."""
    is_due = targets.c.due_at.is_not(None)
    reminds = requests.c.document[("break_glass", "remind_at")].as_string()
    return and_(is_due, reminds.is_not(None), requests.c.document["repeated_by"].as_string() == "")


def _has_target(query: Query) -> Iterator[ColumnElement[bool]]:
    if query.host:
        yield targets.c.host == query.host
    if query.hosts:
        yield targets.c.host.in_(query.hosts)
    if query.unit:
        yield targets.c.unit == str(query.unit)


def replace_stored(connection: Connection, request: Request, claim: Claim | None) -> tuple[Request, bool]:
    """Write the next version over `request.version`; the bool says whether the stage has changed.

    The request is due at the earliest of its timers. Raises `LostClaim`, `HostBusy`, `NoSuchRequest`, `NotSealed` and
    `Stale`.
    Targets are locked before requests, here as everywhere, to avoid deadlocks.
    """
    request = replace(request, due_at=next_due(request))
    before = rows.lock(connection, request.id)
    target = rows.target_row(request)
    target["document"] = rows.with_what_is_not_known(target["document"], before.target)
    _write_target(connection, request, target, claim)
    if claim is None:
        claims.make_due_after_change(connection, request, due_at=request.due_at)
    newer = rows.request_row(replace(request, version=request.version + 1))
    newer["document"] = rows.with_what_is_not_known(newer["document"], before.document)
    newer["seal"] = _seal(connection, newer, target, request)
    current = {"of_id": request.id, "of_version": request.version}
    if not connection.execute(_REPLACE, newer | current).rowcount:
        raise Stale(f"Request {request.id} was changed by somebody else meanwhile.")
    is_changed = _write_votes(connection, request.id, request.votes, before.votes)
    # others may have voted meanwhile, but before the lock
    votes = rows.votes_of(connection, request.id) if is_changed else rows.read_votes(before.votes)
    return replace(request, version=request.version + 1, votes=votes), before.stage != request.stage.value


def _seal(connection: Connection, row: dict[str, Any], target: dict[str, Any], request: Request) -> str:
    votes = [rows.vote_row(request.id, vote)["document"] for vote in request.votes]
    return seals_of(connection).of_request(row, target["document"], votes)


def _write_target(connection: Connection, request: Request, row: dict[str, Any], claim: Claim | None) -> None:
    new = claims.WRITE_CLAIMED if claim else claims.WRITE
    whose = claims.held(claim) if claim else {"of_request": request.id}
    try:
        written = connection.execute(new, row | whose).rowcount
    except IntegrityError:  # the only unique column here is the host of a running target
        raise HostBusy(f"Another change is running on {request.target.host}.") from None
    if not written:
        raise LostClaim(request.id)


def _write_votes(connection: Connection, request_id: str, given: Sequence[Vote], stored: Sequence[Any] = ()) -> bool:
    """Write the result of each known vote, and return whether one is not stored so; one that came meanwhile is left."""
    is_changed = False
    for vote in given:
        row = rows.vote_row(request_id, vote)
        if row["document"] in stored:
            continue
        is_changed = True
        same = and_(_by_voter(request_id, vote), votes.c.cast_at == vote.at)
        if not connection.execute(update(votes).where(same).values(row)).rowcount:
            insert_new(connection, votes, row)
    return is_changed


def record_vote(connection: Connection, request_id: str, vote: Vote, *, now: datetime) -> bool:
    """Record a vote and make its request due; False if this person's vote on this plan is there already.

    A refused vote does not prevent a new one. Raises `NoSuchRequest`.
    """
    of_request = targets.c.request_id == request_id
    if not connection.execute(select(targets.c.request_id).where(of_request).with_for_update()).all():
        raise NoSuchRequest(f"There is no request {request_id}.")
    connection.execute(delete(votes).where(_by_voter(request_id, vote), votes.c.tally == Tally.REFUSED.value))
    if not insert_new(connection, votes, rows.vote_row(request_id, vote)):
        return False
    claims.make_due(connection, request_id, now=now)
    return True


def _by_voter(request_id: str, vote: Vote) -> ColumnElement[bool]:
    org, user = vote.voter.key
    voter = and_(votes.c.voter_org == org, votes.c.voter_user == user)
    return and_(votes.c.request_id == request_id, voter, votes.c.digest == vote.digest)
