"""Our other changes to a host since a given change, so that later checks do not report them as failures."""

from dataclasses import dataclass
from datetime import timedelta

from bot.core.requests import Request
from bot.core.requests.aftercheck import affected_units, already_reported
from bot.ports import Query
from bot.workflow.process.deps import Deps

_NEWEST = 100  # recent requests about a host that are read


@dataclass(frozen=True, slots=True)
class OwnChanges:
    """Our own changes since another one of ours."""

    units: frozenset[str]  # units that they changed or affected
    told: frozenset[str]  # consequences that other threads have reported for this time


def own_changes(deps: Deps, request: Request) -> OwnChanges:
    """Requests carried out after this one, or running, in the same manager of the same host."""
    since = request.finished_at or request.asked_at
    found = deps.store.find(Query(host=request.target.host, limit=_NEWEST))
    others = [one for one in found if one.id != request.id and one.ask.change.user == request.ask.change.user]
    later = [one for one in others if one.begun_at and (one.finished_at is None or one.finished_at > since)]
    watched_for = max(deps.aftercare.aftercheck, default=timedelta())
    lately = [one for one in others if one.finished_at and one.finished_at > since - watched_for]
    return OwnChanges(
        frozenset(unit for one in later for unit in _affected_units(deps, one)),
        frozenset(sentence for one in lately for sentence in already_reported(one)),
    )


def _affected_units(deps: Deps, other: Request) -> frozenset[str]:
    """The units that a request affects; an undo also affects what its mask stopped."""
    mask = deps.store.get(other.ask.undoes) if other.ask.undoes else None
    return affected_units(other) | (affected_units(mask) if mask else frozenset())


def with_own_changes(deps: Deps, request: Request) -> Request:
    """The request, with what our others change while it waits for a slow stop or start: its host is free for them."""
    if not request.target.waiting:
        return request
    beside = {*request.target.beside, *own_changes(deps, request).units}
    return request.on_target(beside=tuple(sorted(beside)))
