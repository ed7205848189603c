"""How requests are related: a mask, its repetitions, its undo, and the hosts of a hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core.hosts.inventory import Host
from bot.core.requests import Request, Stage, Target
from bot.core.requests.deadlines import are_apart
from bot.ports import Query
from bot.workflow.process.deps import Deps
from bot.workflow.requests.hold_group_members import newest_request, other_hosts


def target_to_restore(deps: Deps, mask_id: str) -> Target:
    """The request whose earlier state an undo restores; for a reapplied hold, the first request of the hold."""
    mask = deps.store.get(mask_id)
    first = mask
    while first.ask.change.hold and first.ask.repeats:
        first = deps.store.get(first.ask.repeats)
    return replace(mask.target, before=first.target.before)


@dataclass(frozen=True, slots=True)
class Related:
    """The mask and the further hosts that a request is about, read once for a stage."""

    own_mask: Request | None  # which it would undo, extend, repeat, or end the stop of
    others: tuple[Host, ...]  # further hosts, of a hold for a group


def find_related(deps: Deps, request: Request, live: Sequence[Request] | None = None) -> Related:
    """Read what a request is about; `live` are our live masks in the same manager, where they have just been read."""
    ask, unit, mask = request.ask, request.target.unit, None
    if mask_id := ask.undoes or ask.extends or ask.forces or (ask.repeats if ask.by_itself else ""):
        mask = newest_request(deps, mask_id)
    else:
        if live is None:
            live = deps.store.find(Query(host=ask.change.host, unit=unit, live_masks=True))
        of_unit = (one for one in live if one.target.unit == unit and one.ask.change.user == ask.change.user)
        mask = next(of_unit, None)
    is_for_group = request.is_group_hold or (mask is not None and mask.is_group_hold)
    return Related(mask, other_hosts(deps, request, mask) if is_for_group else ())


def with_all_hosts(request: Request, related: Related) -> Request:
    """The request with the names of all hosts that it is about, if that is more than one."""
    further = [host.name for host in related.others]
    return replace(request, hosts=(request.ask.change.host, *further) if further else ())


def conflicting_request(deps: Deps, request: Request) -> Request | None:
    """Another open request for the same unit on the same host, which has to end first.

    Of two that are both in preflight, the earlier one goes on: else each would refuse the other.
    """
    open_stages = frozenset(stage for stage in Stage if not stage.is_final)
    change = request.ask.change
    found = deps.store.find(Query(host=change.host, unit=request.target.unit, stages=open_stages))
    now = deps.clock.now()
    for other in found:
        asked_earlier = (other.asked_at, other.id) < (request.asked_at, request.id)
        is_ahead = other.stage is not Stage.ASKED or asked_earlier
        is_another = other.id not in (request.id, request.ask.forces) and other.ask.change.user == change.user
        if is_another and is_ahead and not are_apart(other.ask.change.scheduled_window, change.scheduled_window, now):
            return other
    return None
