"""Gather the facts and ask the one question; nothing else in the workflow says yes or no."""

from dataclasses import replace

from bot.core.changes import Request, Stage, Verb
from bot.core.people import Person, PersonId
from bot.core.policy import Decision, Facts, Moment, decide
from bot.core.units import Snapshot
from bot.ports import Query
from bot.workflow.parts import Parts


def judge(
    parts: Parts, request: Request, moment: Moment, *, snapshot: Snapshot | None = None, voter: PersonId | None = None
) -> Decision:
    """Ask `decide`, with everybody's rights as they are now. Raises `Unverified`: then the answer is no."""
    return judged(parts, facts(parts, request, moment, snapshot=snapshot, voter=voter))


def judged(parts: Parts, given: Facts) -> Decision:
    """The same, where the facts are needed for more than the answer."""
    return decide(given, parts.policy)


def facts(
    parts: Parts, request: Request, moment: Moment, *, snapshot: Snapshot | None = None, voter: PersonId | None = None
) -> Facts:
    """Everything a rule may look at. Raises `Unverified`."""
    ask = request.ask
    return Facts(
        now=parts.clock.now(),
        moment=moment,
        request=request,
        host=parts.host(ask.change.host),
        requester=person(parts, request.owner),
        place=parts.directory.place(ask.place),
        snapshot=snapshot or request.target.before,
        voter=person(parts, voter) if voter else None,
        approvers=tuple(person(parts, vote.voter) for vote in request.counted),
        members={group.name: parts.directory.members(group) for group in parts.policy.groups},
        alone=person(parts, request.glass.by) if request.glass and request.is_alone else None,
        own_mask=own_mask(parts, request),
    )


def person(parts: Parts, who: PersonId) -> Person:
    """A person as they are now. Raises `Unverified`."""
    return parts.directory.person(who, parts.policy.groups)


def own_mask(parts: Parts, request: Request) -> Request | None:
    """Our own mask that this request would take back, or repeat."""
    if request.ask.undoes:
        return parts.store.get(request.ask.undoes)
    change, unit = request.ask.change, request.target.unit
    live = parts.store.find(Query(host=change.host, unit=unit, live_masks=True))
    return next((mask for mask in live if mask.ask.change.user == change.user), None)


def with_own_mask(parts: Parts, request: Request) -> Request:
    """An unmask of something that we masked is an undo of it: say so in the request."""
    mask = own_mask(parts, request) if request.ask.change.verb is Verb.UNMASK else None
    return replace(request, ask=replace(request.ask, undoes=mask.id)) if mask else request


def rival(parts: Parts, request: Request) -> Request | None:
    """Another open request for the same unit on the same host, which has to end first.

    Of two that are just being looked at, the one that was asked first goes on: else each would turn away the other.
    """
    open_stages = frozenset(stage for stage in Stage if not stage.is_final)
    change = request.ask.change
    others = parts.store.find(Query(host=change.host, unit=request.target.unit, stages=open_stages))
    return next((other for other in others if other.ask.change.user == change.user and _is_ahead(other, request)), None)


def _is_ahead(other: Request, request: Request) -> bool:
    asked_earlier = (other.asked_at, other.id) < (request.asked_at, request.id)
    return other.id != request.id and (other.stage is not Stage.ASKED or asked_earlier)
