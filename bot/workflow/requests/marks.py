"""Write into a finished request what a later request did to it: undone, repeated, lifted, extended."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.requests import Extension, Forced, Hold, NewKind, Request, Rollout, RolloutTarget, Stage, TargetStatus
from bot.core.requests.expiry import extend, is_still_so, keep
from bot.core.requests.plan import kind_digest
from bot.core.rollout.progress import Progress, is_step, with_progress, with_undone
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update


def mark_undone(deps: Deps, mask_id: str, *, by: str, is_restored: bool, is_told: bool = True) -> None:
    """Write into our mask that it was undone, or was gone already, and, with `is_told`, into its rollout.

    This happens before the undo itself ends, so that a crash cannot separate the two.
    """
    at = deps.clock.now() if is_restored else None

    def marked(mask: Request) -> Request:
        if mask.undone_by:
            return mask
        return replace(mask, undone_by=by, undone_at=at, was_gone=at is None, rollout=_ended(mask.rollout))

    mask = _mark(deps, mask_id, "mask.undone", by, marked)
    if is_told:
        _mark_in_rollout(deps, mask, lambda target: replace(target, status=TargetStatus.UNDONE))


def mark_undone_until_now(deps: Deps, undo: Request, now: Rollout) -> None:
    """Write into a rollout what its undo has undone until now, if that is a step further."""
    if not undo.ask.undoes or not is_step(undo.rollout or Rollout(), now):
        return

    def marked(whole: Request) -> tuple[Request, list[Event]]:
        return replace(whole, rollout=whole.rollout and with_undone(whole.rollout, now)), []

    update(deps, undo.ask.undoes, marked, urgent=False)


def _mark_in_rollout(deps: Deps, mask: Request, now: Callable[[RolloutTarget], RolloutTarget]) -> None:
    """Write into the rollout what became of the mask of one of its targets; its card says so."""

    def marked(whole: Request) -> tuple[Request, list[Event]]:
        target = whole.rollout.of_request(mask.id) if whole.rollout else None
        if whole.rollout is None or target is None:
            return whole, []
        return replace(whole, rollout=whole.rollout.put(now(target))), []

    if mask.ask.rollout:
        update(deps, mask.ask.rollout, marked, urgent=False)


def note_late(deps: Deps, target: Request) -> None:
    """Write into a rollout that is over what became of a target that was not known yet."""
    now = Progress.of(target)

    def noted(whole: Request) -> tuple[Request, list[Event]]:
        if whole.rollout is None or whole.stage is not Stage.DONE:
            return whole, []
        return replace(whole, rollout=with_progress(whole.rollout, [now])), []

    update(deps, target.ask.rollout, noted, urgent=False)


def mark_repeated(deps: Deps, first_id: str, *, by: str) -> None:
    """Write into a request that a later one finished it, or put its mask back, and now owns what it left."""
    first = _mark(deps, first_id, "mask.repeated", by, lambda first: replace(first, repeated_by=by))
    _mark_in_rollout(deps, first, lambda target: replace(target, request_id=by))


def mark_lifted(deps: Deps, hold_id: str, *, by: str) -> None:
    """Write into a hold for many hosts that it was lifted: what is left of it expires now, wherever it can be reached.

    It goes to no further host, and requests for hosts that have not begun are closed.
    """
    now = deps.clock.now()

    def marked(whole: Request) -> Request:
        if whole.hold is None or whole.rollout is None:
            return whole
        return replace(
            whole, aftercare=replace(whole.aftercare, expires_at=now, remind_at=None), rollout=_ended(whole.rollout)
        )

    _mark(deps, hold_id, "hold.lifted", by, marked)


def _ended(rollout: Rollout | None) -> Rollout | None:
    """The rollout of masks that are gone or will be: requests for further targets are closed."""
    return replace(rollout, joins_at=None, is_closed=False) if rollout else None


def mark_extended(deps: Deps, mask_id: str, by: Extension, *, is_approved: bool, held: Hold | None = None) -> bool:
    """Write a later expiry or the hold into our mask, once; False if the mask is gone, or of another kind by now."""

    def marked(mask: Request) -> Request:
        if mask.aftercare.is_extended_by(by.request_id) or not mask.is_live_mask:
            return mask
        if not is_still_so(mask, by, held=held is not None):
            return mask
        if held and by.new_kind is NewKind.HELD:
            state = replace(mask.hold_state, made_later=held)
            return replace(mask, aftercare=keep(mask.aftercare, by), hold_state=state, undo_until=None)
        if held:
            return replace(mask, aftercare=keep(mask.aftercare, by))
        return replace(mask, aftercare=extend(mask.aftercare, by, deps.aftercare, is_approved=is_approved))

    mask = _mark(deps, mask_id, "mask.extended", by.request_id, marked, expires_at=by.until)
    return mask.aftercare.is_extended_by(by.request_id)


def mark_held(deps: Deps, whole: Request, *, by: str) -> None:
    """Write into each mask of a rollout that became a hold that it is held; then the hold goes where it is not yet.

    Repeated after a crash in between, with one effect.
    """
    now, made = deps.clock.now(), whole.rollout.targets if whole.rollout else ()
    kinds = {one.request_id: _hold_target(deps, one, whole.hold, by) for one in made if one.can_be_undone}

    def goes_on(mask: Request) -> tuple[Request, list[Event]]:
        if mask.rollout is None or mask.hold is None:
            return mask, []
        held = (replace(one, kind=kinds.get(one.request_id, one.kind)) for one in mask.rollout.targets)
        return replace(mask, rollout=replace(mask.rollout.put(*held), joins_at=now)), []

    update(deps, whole.id, goes_on)


def _hold_target(deps: Deps, target: RolloutTarget, hold: Hold | None, by: str) -> str:
    """Hold the mask of one target. Returns the kind of its plan, which is approved for hosts that join as well."""

    def held(mask: Request) -> tuple[Request, list[Event]]:
        if mask.hold or not mask.is_live_mask:
            return mask, []
        state = replace(mask.hold_state, made_later=hold)
        return replace(mask, hold_state=state, undo_until=None), [event(mask, "mask.extended", by=by)]

    mask = update(deps, target.request_id, held, urgent=False)
    before = mask.target.before
    return kind_digest(mask.ask.change, before, mask.target.layer) if before else ""


def mark_forced(deps: Deps, request: Request) -> None:
    """Write into the mask that its stop was ended by force and who approved that; the mask goes on at once."""
    now, names = deps.clock.now(), tuple(vote.voter_name for vote in request.counted_votes)
    alone = request.break_glass.name if request.break_glass and request.is_break_glass else ""
    forced = Forced(request.id, now, names, alone)

    def marked(mask: Request) -> Request:
        is_marked = mask.target.forced is not None and mask.target.forced.request_id == request.id
        return mask if is_marked else replace(mask.on_target(forced=forced), due_at=mask.due_at and now)

    _mark(deps, request.ask.forces, "mask.stop_forced", request.id, marked)


def _mark(
    deps: Deps, request_id: str, kind: str, by: str, marked: Callable[[Request], Request], **data: Any
) -> Request:
    return update(deps, request_id, lambda request: (marked(request), [event(request, kind, by=by, **data)]))
