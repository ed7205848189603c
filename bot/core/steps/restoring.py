"""Undo a mask: restore everything after our own mask; only remove the links of somebody else's."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.requests import Outcome, Target
from bot.core.steps.comparing import has_run_again, is_deaf, not_as_before, not_known, socket_to_wait_for
from bot.core.steps.kinds import (
    Done,
    LookFully,
    Reload,
    ResetFailed,
    Start,
    Step,
    StepContext,
    Stop,
    Unlink,
    Wait,
    is_on_its_way_down,
    is_tried,
    label,
    times,
)
from bot.core.steps.timer_turns import fired_timers, moved_timers, restarted_timers
from bot.core.systemd.dependencies import other_units
from bot.core.systemd.units import ActiveState, FileKind, Layer, LayerFile, LoadState, RelatedUnit, Snapshot, UnitName

_CRASHED = "auto-restart"  # SubState while systemd waits to restart a failed unit
OVER = "The mask lasted until the next reboot, and the host was rebooted."


def starts_again(mask: Target, now: Snapshot | None, *, beside: Collection[str] = ()) -> tuple[str, ...]:
    """The units that an undo would start, as far as a look at the masked unit shows.

    `beside` are the other units that a rollout masked on the host.
    """
    if mask.before is None or now is None or mask.adopted:  # what somebody else masked is not started by the bot
        return ()
    return tuple(dict.fromkeys(other.unit for other in _should_run(mask, mask.before, now, beside)))


def next_undo_step(context: StepContext, now: Snapshot, at: datetime) -> Step:
    """Remove the very link we made, reload, start what ran; leave everything else alone."""
    mask = context.undoes
    if mask is None or mask.layer is None or mask.before is None:
        raise ValueError("an undo needs the mask it undoes, with its before")
    unlinked = times(context.target, label(Unlink(mask.layer)))
    file = now.layer(mask.layer)
    if file.kind is FileKind.MASK:
        return _remove_ours(context, mask, file)
    if not unlinked and mask.made is not None and mask.outcome is not Outcome.NOT_PROTECTED:
        if mask.layer is Layer.RUNTIME and now.around is None:
            return LookFully()
        if is_over(mask, now):
            return Done(Outcome.UNMASKED, OVER)
        return Done(Outcome.NOT_OURS, "The mask is gone: somebody else or a reboot removed it.")
    if _reload_is_due(context):
        return Reload()
    if mask.adopted:
        return _end_of_unmask(now)
    if is_on_its_way_down(now):  # it is restored once it is down: only then can it be started again
        return _wait(context, at)
    if now.around is None:
        return LookFully()
    return _restore_what_ran(context, mask, mask.before, now, at)


def is_over(mask: Target, now: Snapshot) -> bool:
    """Whether a runtime mask has ended with a reboot, as it was meant to."""
    made, after = mask.made, mask.after
    if made is None or made.layer is not Layer.RUNTIME or after is None or now.around is None or after.around is None:
        return False
    return now.layer(Layer.RUNTIME).kind is FileKind.ABSENT and now.around.boot_id != after.around.boot_id


def next_unmask_step(context: StepContext, now: Snapshot) -> Step:
    """Remove a mask that is not ours: each link that was there when people approved, and no later one."""
    before = context.target.before
    if before is None:
        raise ValueError("an unmask needs its before")
    agreed = [file for file in before.layers if file.kind is FileKind.MASK]
    left = [file for file in now.layers if file in agreed]
    for file in left:
        if times(context.target, label(Unlink(file.layer))) < context.limits.same_command:
            return Unlink(file.layer, foreign=True)
    if left:
        outcome = Outcome.FAILED if len(left) == len(agreed) else Outcome.NOT_UNMASKED
        return Done(outcome, context.target.sent[-1].output)
    if _reload_is_due(context):
        return Reload()
    if now.load is LoadState.MASKED and not context.target.sent:
        return Done(Outcome.FAILED, "The mask was replaced since it was approved, so it was left alone.")
    return _end_of_unmask(now)


def _end_of_unmask(now: Snapshot) -> Done:
    """The end of a mask that the bot did not make: it starts nothing."""
    if now.load is not LoadState.MASKED:
        return Done(Outcome.UNMASKED)
    return Done(Outcome.NOT_UNMASKED, "Its links are removed, but systemd still calls it masked.")


def _remove_ours(context: StepContext, mask: Target, file: LayerFile) -> Step:
    """Only the link that we saw right after making it is ours; a later one is somebody else's."""
    if mask.made is not None and file.identity != mask.made.identity:
        return Done(Outcome.NOT_OURS, "Somebody replaced the mask, so it is not the bot's to remove.")
    if mask.made is None:
        return Done(Outcome.NOT_OURS, "The bot never saw its own link, so this one may be anybody's.")
    unlink = Unlink(file.layer, foreign=mask.adopted)
    if times(context.target, label(unlink)) < context.limits.same_command:
        return unlink
    return Done(Outcome.FAILED, context.target.sent[-1].output)


def _restore_what_ran(context: StepContext, mask: Target, before: Snapshot, now: Snapshot, at: datetime) -> Step:
    """The mask is gone: start what ran before and does not run now."""
    if is_deaf(now) and not before.active.is_down and not times(context.target, Stop.name):
        return Stop()
    for other in _should_run(mask, before, now, context.change.beside):
        name = label(Start(other.unit))
        if _is_on_its_way(other):
            wait = _wait(context, at)
            if not (wait.is_slow and other.sub.startswith(_CRASHED)):
                return wait
        elif (
            other.active is ActiveState.FAILED
            and (not times(context.target, name) or _hit_its_start_limit(now, other))
            and not _was_reset(context, other.unit)
        ):
            return ResetFailed(other.unit)
        elif not is_tried(context.target, name, context.limits) or _was_reset_since(context, other.unit):
            return Start(other.unit)
    return _compare(context, mask, before, now, at)


def _wait(context: StepContext, at: datetime) -> Wait:
    """The time since the newest command, or since the change began."""
    return context.limits.wait(context.target.sent[-1].at if context.target.sent else context.begun or at, at)


def _is_on_its_way(other: RelatedUnit) -> bool:
    """Whether the unit is neither up nor down yet."""
    return bool(other.job) or other.active in (ActiveState.ACTIVATING, ActiveState.DEACTIVATING)


def _was_reset(context: StepContext, unit: str) -> bool:
    return is_tried(context.target, label(ResetFailed(unit)), context.limits)


def _hit_its_start_limit(now: Snapshot, other: RelatedUnit) -> bool:
    """Whether systemd refused our start for earlier ones (StartLimitBurst=); a reset counts them anew, systemctl(1)."""
    return other.unit == now.id.text and now.result == "start-limit-hit"


def _was_reset_since(context: StepContext, unit: str) -> bool:
    """Whether a unit that we started was reset since: another start is worth a try."""
    steps = [one.step for one in context.target.sent]
    reset, start = label(ResetFailed(unit)), label(Start(unit))
    return reset in steps and steps[::-1].index(reset) < steps[::-1].index(start)


def _reload_is_due(context: StepContext) -> bool:
    """Whether a link was removed since systemd last reloaded, as far as we know."""
    sent = context.target.sent
    kinds = [one.step.partition(" ")[0] for one in sent]
    changed = [position for position, kind in enumerate(kinds) if kind == Unlink.name]
    return bool(changed) and not is_tried(
        replace(context.target, sent=sent[changed[-1] :]), Reload.name, context.limits
    )


def _should_run(mask: Target, before: Snapshot, now: Snapshot, beside: Collection[str]) -> Iterator[RelatedUnit]:
    """The unit, what stopped with it, and its triggers: those that ran before and are down, or starting.

    They come from the record: systemd does not know the relations of a masked unit any more. A service that was masked
    together with its socket is started once that listens again.
    """
    found = other_units(now)
    itself = RelatedUnit(now.id.text, now.names, now.load, now.active, now.sub)
    around = before.around
    triggers, stopped = (around.triggers, around.would_stop) if around else ((), ())
    waits = bool(socket_to_wait_for(mask, now))
    for was, other in (
        *((one, found.get(one.unit, _as_unloaded(one))) for one in triggers),
        *(((RelatedUnit(before.id.text, before.names, before.load, before.active), itself),) if not waits else ()),
        *((one, found.get(one.unit, _as_unloaded(one))) for one in stopped),
        *_masked_with_it(beside, before, found),
    ):
        # A unit that crashed in a loop before may do so again: that is as it was, and nobody waits for it to settle.
        moving = _is_on_its_way(other) and not (was.active is other.active is ActiveState.ACTIVATING)
        if not was.active.is_down and (other.active.is_down or moving) and UnitName.is_sendable(other.unit):
            yield other


def _masked_with_it(
    beside: Collection[str], before: Snapshot, found: Mapping[str, RelatedUnit]
) -> Iterator[tuple[RelatedUnit, RelatedUnit]]:
    """Of a socket: the service that ran when both were masked together, before and now, unless it is masked still."""
    for one in before.around.starts if before.around and before.id.type == "socket" else ():
        other = found.get(one.unit)
        if one.unit in beside and other and other.load is not LoadState.MASKED:
            yield one, other


def _as_unloaded(other: RelatedUnit) -> RelatedUnit:
    """A unit that systemd has not loaded is down."""
    return replace(other, active=ActiveState.INACTIVE)


def _went_down(was: RelatedUnit, is_now: RelatedUnit) -> bool:
    return is_now.active.is_down and not was.active.is_down


def _compare(context: StepContext, mask: Target, before: Snapshot, now: Snapshot, at: datetime) -> Done:
    """Compare with the record, and name what differs, and what could not be compared."""
    with_it = _masked_with_it(context.change.beside, before, other_units(now))
    fell = [(was, is_now) for was, is_now in with_it if _went_down(was, is_now)]
    down = [f"{was.unit} was {was.active} and is {is_now.active} now" for was, is_now in fell]
    off = [*not_as_before(mask, context.target, now), *moved_timers(before, now, at), *down]
    fired = fired_timers(before, context.target.before, now)
    unknown = [*not_known(before, now), *restarted_timers(before, now, at), *fired]
    if has_run_again(before, context.target, now):
        unknown.append("It was in the middle of its run before: it has run again from its beginning, with success.")
    if (socket := socket_to_wait_for(mask, now)) and not before.active.is_down:
        unknown.append(f"It starts again once {socket} listens, which is masked still.")
    if off:
        return Done(Outcome.RESTORED_PARTLY, "; ".join(off) + "".join(f". {one}" for one in unknown))
    return Done(Outcome.RESTORED, " ".join(unknown))
