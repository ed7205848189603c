"""Back from a mask: our own with everything as it was before, somebody else's by its links alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bot.core.changes import Outcome, Target
from bot.core.steps.kinds import (
    Done,
    LookFully,
    Reload,
    ResetFailed,
    Start,
    Step,
    Unlink,
    Wait,
    Work,
    is_on_its_way_down,
    is_tried,
    label,
    times,
)
from bot.core.units import ActiveState, FileKind, LayerFile, LoadState, Neighbour, Snapshot, Surroundings, UnitName

_CRASHED = "auto-restart"  # SubState while systemd waits to start again what has failed


def next_undo_step(work: Work, now: Snapshot, at: datetime) -> Step:
    """Remove the very link we made, load, start what ran; nothing of anybody else."""
    mask = work.undoes
    if mask is None or mask.layer is None or mask.before is None:
        raise ValueError("an undo needs the mask it undoes, with its before")
    unlinked = times(work.target, label(Unlink(mask.layer)))
    file = now.layer(mask.layer)
    if file.kind is FileKind.MASK:
        return _remove_ours(work, mask, file)
    if not unlinked and mask.made is not None and mask.outcome is not Outcome.NOT_PROTECTED:
        return Done(Outcome.NOT_OURS, "The mask we made is not there any more: somebody else or a reboot took it away.")
    if _reload_is_due(work):
        return Reload()
    if is_on_its_way_down(now):  # it is restored once it is down: only then can it be started again
        return _wait(work, at)
    if now.around is None:
        return LookFully()
    return _bring_back(work, mask.before, now, now.around, at)


def next_unmask_step(work: Work, now: Snapshot) -> Step:
    """Remove a mask that is not ours: each link that was there when people agreed, and no later one."""
    before = work.target.before
    if before is None:
        raise ValueError("an unmask needs its before")
    agreed = [file for file in before.layers if file.kind is FileKind.MASK]
    left = [file for file in now.layers if file in agreed]
    for file in left:
        if times(work.target, label(Unlink(file.layer))) < work.limits.same_command:
            return Unlink(file.layer)
    if left:
        outcome = Outcome.FAILED if len(left) == len(agreed) else Outcome.NOT_UNMASKED
        return Done(outcome, _last_words(work.target))
    if _reload_is_due(work):
        return Reload()
    if now.load is not LoadState.MASKED:
        return Done(Outcome.UNMASKED)
    if not work.target.sent:
        return Done(Outcome.FAILED, "The mask was made anew since people agreed, so it was left alone.")
    return Done(Outcome.NOT_UNMASKED, "Its links are removed, but systemd still calls it masked.")


def _remove_ours(work: Work, mask: Target, file: LayerFile) -> Step:
    """Only the link that we saw right after making it is ours; a later one is somebody's decision."""
    if mask.made is not None and file.identity != mask.made.identity:
        return Done(Outcome.NOT_OURS, "Somebody made this mask anew after us, so it is not ours to remove.")
    if mask.made is None:
        return Done(Outcome.NOT_OURS, "We never saw the link we made, so this one may be anybody's.")
    unlink = Unlink(file.layer)
    if times(work.target, label(unlink)) < work.limits.same_command:
        return unlink
    return Done(Outcome.FAILED, _last_words(work.target))


def _last_words(target: Target) -> str:
    return target.sent[-1].output if target.sent else ""


def _bring_back(work: Work, before: Snapshot, now: Snapshot, around: Surroundings, at: datetime) -> Step:
    """The mask is gone: what ran before and does not run now is started."""
    for other in _should_run(before, now, around):
        name = label(Start(other.unit))
        if _is_on_its_way(other):
            wait = _wait(work, at)
            if not (wait.is_slow and other.sub.startswith(_CRASHED)):
                return wait
        elif other.active is ActiveState.FAILED and not times(work.target, name) and not _was_reset(work, other.unit):
            return ResetFailed(other.unit)
        elif not is_tried(work.target, name, work.limits):
            return Start(other.unit)
    return _restored(before, now, around)


def _wait(work: Work, at: datetime) -> Wait:
    """Since the newest command; where none was sent, since it began."""
    return work.limits.wait(work.target.sent[-1].at if work.target.sent else work.begun or at, at)


def _is_on_its_way(other: Neighbour) -> bool:
    """It is neither up nor down yet."""
    return bool(other.job) or other.active in (ActiveState.ACTIVATING, ActiveState.DEACTIVATING)


def _was_reset(work: Work, unit: str) -> bool:
    return is_tried(work.target, label(ResetFailed(unit)), work.limits)


def _reload_is_due(work: Work) -> bool:
    """A link was removed since systemd last read its files, as far as we were told that it did."""
    sent = work.target.sent
    kinds = [one.step.partition(" ")[0] for one in sent]
    changed = [position for position, kind in enumerate(kinds) if kind == Unlink.name]
    return bool(changed) and not is_tried(replace(work.target, sent=sent[changed[-1] :]), Reload.name, work.limits)


def _should_run(before: Snapshot, now: Snapshot, around: Surroundings) -> Iterator[Neighbour]:
    """The unit, what stopped with it, and its triggers: those that ran before and are down, or on their way up."""
    ran = {other.unit: other.active for other in _neighbours(before.around)} | {before.id.text: before.active}
    itself = Neighbour(now.id.text, now.names, now.load, now.active, now.sub)
    for other in (*around.triggers, itself, *around.would_stop):
        was = ran.get(other.unit, ActiveState.INACTIVE)
        # What crashed in a loop before may do so again: that is as it was, and nobody waits for it to settle.
        moving = _is_on_its_way(other) and not (was is other.active is ActiveState.ACTIVATING)
        if not was.is_down and (other.active.is_down or moving) and UnitName.is_sendable(other.unit):
            yield other


def _neighbours(around: Surroundings | None) -> tuple[Neighbour, ...]:
    return (*around.triggers, *around.would_stop) if around else ()


def _restored(before: Snapshot, now: Snapshot, around: Surroundings) -> Done:
    """Compare with the record, and name what is not as it was."""
    off = list(_not_as_before(before, now, around))
    return Done(Outcome.RESTORED_PARTLY, "; ".join(off)) if off else Done(Outcome.RESTORED)


def _is_woken(before: Snapshot, around: Surroundings) -> bool:
    """What did not run then may run now by its timer or socket: it would have without us."""
    return before.active.is_down and any(not trigger.active.is_down for trigger in around.triggers)


def _not_as_before(before: Snapshot, now: Snapshot, around: Surroundings) -> Iterator[str]:
    if now.load is not before.load:
        yield f"Load was {before.load}, is {now.load}"
    if now.file_state != before.file_state:
        yield f"Boot was {before.file_state or 'unknown'}, is {now.file_state or 'unknown'}"
    still_starting = now.active is ActiveState.ACTIVATING and before.active is not ActiveState.ACTIVATING
    if (now.active.is_down != before.active.is_down or still_starting) and not _is_woken(before, around):
        yield f"Active was {before.active}, is {now.active}"
    had, have = (before.around.wants_links if before.around else ()), around.wants_links
    for path in sorted({path for path, _ in had} - {path for path, _ in have}):
        yield f"the link {path} is gone"
    states = {other.unit: other.active for other in _neighbours(around)}
    for other in _neighbours(before.around):
        is_now = states.get(other.unit)
        is_worse = is_now is ActiveState.ACTIVATING and other.active is not is_now
        if not other.active.is_down and (is_now is None or is_now.is_down or is_worse):
            yield f"{other.unit} was {other.active}, is {is_now or 'gone'}"
