"""Convert requests to rows and rows to requests.

A document is read by the types of the core: unknown keys are ignored and missing fields have defaults, so a newer
version reads what an older one wrote. A request with unknown values is left to the version that knows them.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BindParameter, Connection, CursorResult, Select, bindparam, select

from bot.core.requests import Request, Stage, Target, Verb, Vote
from bot.edges.database import tables
from bot.edges.database.seals import seals_of
from bot.errors import NoSuchRequest, NotSealed, WrittenByNewerVersion

log = structlog.get_logger()
_REQUEST = TypeAdapter(Request)
_TARGET = TypeAdapter(Target)
_VOTE = TypeAdapter(Vote)
_VOTES_OF_ONE = TypeAdapter(tuple[Vote, ...])

# Requests are read more often than anything else, and building a statement costs as much as running it.
_AMONG: BindParameter[Any] = bindparam("ids", expanding=True)
_VOTES = (
    select(tables.votes.c.request_id, tables.votes.c.document)
    .where(tables.votes.c.request_id.in_(_AMONG))
    .order_by(tables.votes.c.id)
)
_TARGET_TO_LOCK = (
    select(tables.targets.c.request_id).where(tables.targets.c.request_id == bindparam("request_id")).with_for_update()
)
WITH_TARGETS = select(  # only what is read: whatever else stands in a row, it can still be told as forged
    *(tables.requests.c[name] for name in ("id", "key", "stage", "version", "rollout", "document", "seal")),
    tables.targets.c.document.label("target"),
    tables.targets.c.host.label("target_host"),
    tables.targets.c.unit.label("target_unit"),
).outerjoin(tables.targets, tables.targets.c.request_id == tables.requests.c.id)
_BY_ID = WITH_TARGETS.where(tables.requests.c.id == bindparam("request_id"))


def request_row(request: Request) -> dict[str, Any]:
    """The request without its targets and votes, which have tables of their own."""
    org, user = request.owner.key  # the current owner: that is what people search for
    return {
        "id": request.id,
        "key": request.key,
        "stage": request.stage.value,
        "version": request.version,
        "requester_org": org,
        "requester_user": user,
        "asked_at": request.asked_at,
        "live_mask": request.is_live_mask,
        "rollout": request.ask.rollout,
        "document": _REQUEST.dump_python(request, mode="json", exclude={"target", "votes"}),
    }


def target_row(request: Request) -> dict[str, Any]:
    """The columns of a target that a change of the request writes; not its due time and its claim."""
    target, is_rollout = request.target, request.ask.selection is not None  # which itself does nothing on any host
    return {
        "host": target.host,
        "unit": str(target.unit),
        "running": request.stage is Stage.RUNNING and target.waiting is None and not is_rollout,  # it holds the host
        "begun_at": request.begun_at if request.ask.change.verb is Verb.MASK and not is_rollout else None,
        "document": _TARGET.dump_python(target, mode="json"),
    }


def with_what_is_not_known(newer: dict[str, Any], stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """A document, completed with what the stored one contains and this version does not know.

    While replicas of two versions run side by side, a change by the older one must not lose data of the newer one. An
    unchanged part keeps unknown keys; in a changed part they may not fit any more.
    """
    stored = stored or {}
    same = {name: stored[name] for name, part in newer.items() if name in stored and _is_within(part, stored[name])}
    return {**stored, **newer, **same}


def _is_within(part: Any, stored: Any) -> bool:
    """Whether the stored value contains all of the new one, and maybe more."""
    if part == stored:
        return True
    if isinstance(part, dict) and isinstance(stored, dict):
        return all(name in stored and _is_within(one, stored[name]) for name, one in part.items())
    if isinstance(part, list) and isinstance(stored, list):
        return len(part) == len(stored) and all(map(_is_within, part, stored))
    return False


def vote_row(request_id: str, vote: Vote) -> dict[str, Any]:
    """One person's vote on one plan."""
    org, user = vote.voter.key
    return {
        "request_id": request_id,
        "voter_org": org,
        "voter_user": user,
        "digest": vote.digest,
        "cast_at": vote.at,
        "tally": vote.tally.value,
        "document": _VOTE.dump_python(vote, mode="json"),
    }


def read(connection: Connection, chosen: Select[Any], *, skip_forged: bool = False, **values: str) -> list[Request]:
    """Read the requests whose rows are chosen (`WITH_TARGETS`), in that order, each with its votes.

    A request that is not what a bot of ours wrote is left out, or raises `NotSealed`. Raises `WrittenByNewerVersion`:
    the answer would be wrong without the requests that this version cannot read.
    """
    rows = connection.execute(chosen, values).all()
    if not rows:
        return []
    votes_of = _by_request(connection.execute(_VOTES, {"ids": [row.id for row in rows]}))
    found = []
    for row in rows:
        its_votes = votes_of.get(row.id, [])
        with suppress(*([NotSealed] if skip_forged else [])):
            _believe(connection, row._mapping, its_votes)
            found.append(_request(row._mapping, its_votes))
    return found


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A request as it is stored."""

    stage: str
    document: Mapping[str, Any]
    target: Mapping[str, Any]
    votes: Sequence[Any]


def lock(connection: Connection, request_id: str) -> StoredRow:
    """Lock a request's target, and so the request: whoever changes it comes here first. What is stored is verified.

    Raises `NoSuchRequest` and `NotSealed`.
    """
    target = connection.execute(_TARGET_TO_LOCK, {"request_id": request_id}).first()
    row = connection.execute(_BY_ID, {"request_id": request_id}).first()
    if target is None or row is None:
        raise NoSuchRequest(f"There is no request {request_id}.")
    votes = [vote.document for vote in connection.execute(_VOTES, {"ids": [request_id]})]
    _believe(connection, row._mapping, votes)
    return StoredRow(row.stage, row.document, row.target, votes)


def votes_of(connection: Connection, request_id: str) -> tuple[Vote, ...]:
    """The votes on a request, as they are stored."""
    return read_votes([vote.document for vote in connection.execute(_VOTES, {"ids": [request_id]})])


def read_votes(documents: Sequence[Any]) -> tuple[Vote, ...]:
    """Votes from their documents."""
    return _VOTES_OF_ONE.validate_python(documents)


def _believe(connection: Connection, row: Mapping[Any, Any], votes: list[Any]) -> None:
    if why := seals_of(connection).fault_of_request(row, votes):
        raise NotSealed(f"Request {row['id']} is not what the bot recorded ({why}), so nothing is done with it.")


def read_one(connection: Connection, request_id: str) -> Request | None:
    """Read one request, if it is there. Raises `WrittenByNewerVersion`."""
    return next(iter(read(connection, _BY_ID, request_id=request_id)), None)


def complaint(error: ValidationError) -> str:
    """Where a document does not match this version's types, without any of its content."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in found[:3])


def _by_request(rows: CursorResult[Any, Any]) -> dict[str, list[Any]]:
    documents: dict[str, list[Any]] = {}
    for row in rows:
        documents.setdefault(row.request_id, []).append(row.document)
    return documents


def _request(row: Mapping[Any, Any], votes: list[Any]) -> Request:
    own = {name: row[name] for name in ("stage", "version", "target")}
    whole = row["document"] | own | {"votes": votes}
    try:
        return _REQUEST.validate_python(whole)
    except ValidationError as error:
        log.error("request cannot be read", request=row["id"], why=complaint(error))
        raise WrittenByNewerVersion(
            f"Request {row['id']} was written by a newer maskbot, which has to finish it."
        ) from error
