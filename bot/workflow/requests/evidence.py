"""Compare what is stored of a request with the sealed events about it, before anything is counted or carried out."""

from collections.abc import Iterator

from bot.core.audit.evidence import (
    Records,
    why_denial_is_missing,
    why_not_approved,
    why_not_countable,
    why_set_back,
)
from bot.core.requests import Request, Vote
from bot.errors import NotSealed, Stale
from bot.workflow.process.deps import Deps


def why_vote_is_not_believed(deps: Deps, request: Request, vote: Vote) -> str:
    """Why a recorded vote must not be counted; empty if its event confirms it, and the request is the newest.

    Raises `Stale` if somebody has changed the request since it was read.
    """
    try:
        records = deps.store.events_about(request.id)
        return _why_not_as_recorded(deps, request, records) or why_not_countable(vote, records)
    except NotSealed as error:
        return str(error)


def why_not_believed(deps: Deps, request: Request) -> str:
    """Why a request must not be carried out; empty if events confirm its approval and all that it acts by.

    Raises `Stale` if somebody has changed the request since it was read.
    """
    if deps.integrity.why_broken:
        return f"the audit chain is broken at {deps.integrity.why_broken}"
    try:
        earlier, related = [*_repeated(deps, request)], [*_related(deps, request)]
        records = deps.store.events_about(request.id)
        since = deps.store.chain_judged_since()
        if why := _why_not_as_recorded(deps, request, records) or why_not_approved(
            request, records, earlier, since=since
        ):
            return why
        return next((why for other, records in (*earlier, *related) if (why := why_set_back(other, records))), "")
    except NotSealed as error:
        return str(error)


def _why_not_as_recorded(deps: Deps, request: Request, records: Records) -> str:
    """Why it is not what its events say, with all votes on it. Raises `Stale`."""
    stored = deps.store.get(request.id)  # read after the events: each was stored together with what it tells
    if (stored.version, stored.votes) != (request.version, request.votes):
        raise Stale(f"Request {request.id} was changed by somebody else meanwhile.")
    return why_set_back(request, records) or why_denial_is_missing(request, records)


def _repeated(deps: Deps, request: Request) -> Iterator[tuple[Request, Records]]:
    """The requests that this one repeats, the newest first, each with its events."""
    while request.ask.repeats:
        request = deps.store.get(request.ask.repeats)
        yield request, deps.store.events_about(request.id)


def _related(deps: Deps, request: Request) -> Iterator[tuple[Request, Records]]:
    """The other requests by whose state this one acts: the mask that it undoes, the hold that it belongs to."""
    for other_id in request.ask.related_ids:
        other = deps.store.get(other_id)
        yield other, deps.store.events_about(other_id)
        yield from _repeated(deps, other)
