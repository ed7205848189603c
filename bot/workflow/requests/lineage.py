"""How requests are related: what an undo restores and looks at again, and which request has to end before another."""

from dataclasses import replace

from bot.core.requests import Hold, Request, Stage, Target
from bot.core.requests.deadlines import are_apart
from bot.ports import Query
from bot.workflow.process.deps import Deps


def target_to_restore(deps: Deps, mask_id: str) -> Target:
    """The request whose earlier state an undo restores; for a reapplied hold, the first request of the hold."""
    mask = deps.store.get(mask_id)
    first = mask
    while first.ask.change.hold and first.ask.repeats:
        first = deps.store.get(first.ask.repeats)
    return replace(mask.target, before=first.target.before)


def newest_request(deps: Deps, mask_id: str) -> Request:
    """The newest request for a mask, which later requests may have made again."""
    mask = deps.store.get(mask_id)
    while mask.repeated_by:
        mask = deps.store.get(mask.repeated_by)
    return mask


def current_hold(deps: Deps, mask: Request) -> Hold | None:
    """The hold of a mask, while it stands. On one of many hosts, it ends when all of it is lifted."""
    if mask.hold and mask.ask.rollout and not deps.store.get(mask.ask.rollout).hold:
        return None
    return mask.hold


def known_related_units(*targets: Target | None) -> frozenset[str]:
    """Units related to this one before the change; a masked unit has no relations left to find them by."""
    arounds = [target.before.around for target in targets if target and target.before]
    return frozenset(other.unit for one in arounds if one for other in (*one.would_stop, *one.triggers))


def units_to_see(request: Request, undoes: Target | None) -> frozenset[str]:
    """The related units whose state counts in a change: those known, and of an undo those masked together with it."""
    of_its_set = frozenset[str]()
    if undoes and undoes.planned and undoes.planned.around:
        of_its_set = frozenset(request.ask.change.beside) | {one.unit for one in undoes.planned.around.triggers}
    return known_related_units(request.target, undoes) | of_its_set


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
