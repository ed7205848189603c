"""Decide the next step of a change from a look at the unit: do it, look again, until the answer is Done.

Nothing depends on remembering the last step. What was sent is known, because it was recorded before it was sent;
whether it had its effect is read from the snapshot alone.
"""

from dataclasses import replace
from datetime import datetime

from bot.core.requests import Change, Outcome, Target, Verb
from bot.core.steps.adopting import adoptable, next_adoption_step
from bot.core.steps.force_stop import next_force_step
from bot.core.steps.kinds import Done, Link, Step, StepContext, StepLimits, times
from bot.core.steps.masking import next_mask_step
from bot.core.steps.restoring import next_undo_step, next_unmask_step
from bot.core.steps.stopping import was_unlinked
from bot.core.systemd.units import FileKind, Snapshot

__all__ = ["Done", "StepLimits", "Step", "StepContext", "next_step", "observe"]


def next_step(context: StepContext, now: Snapshot, at: datetime) -> Step:
    """The one step that brings the unit nearer to the goal. Pure: the same look gives the same step."""
    if context.change.force:
        return next_force_step(context, now, at)
    if context.target.called_off:
        return _called_off(next_undo_step(replace(context, undoes=context.target), now, at))
    if context.change.adopt:
        return next_adoption_step(context, now)
    if context.change.verb is Verb.MASK:
        return next_mask_step(context, now, at)
    return next_undo_step(context, now, at) if context.undoes else next_unmask_step(context, now)


_CALLED_OFF = {
    Outcome.RESTORED: Outcome.CALLED_OFF,
    Outcome.RESTORED_PARTLY: Outcome.CALLED_OFF_PARTLY,
    Outcome.FAILED: Outcome.NOT_LOADED,  # the link is still there
}


def _called_off(step: Step) -> Step:
    """A mask that is withdrawn halfway is undone like a complete one."""
    return replace(step, outcome=_CALLED_OFF.get(step.outcome, step.outcome)) if isinstance(step, Done) else step


def observe(target: Target, change: Change, now: Snapshot) -> Target:
    """Record from a look what later steps, the card and the undo need to know."""
    made, lost = target.made, target.settings_lost
    if change.adopt:
        return replace(target, made=adoptable(target, now), adopted=True, last_seen=now)
    if change.verb is Verb.MASK and target.layer and not change.force:
        file = now.layer(target.layer)
        if was_unlinked(target):
            made = made if made == file else None
        elif made is None and file.kind is FileKind.MASK and times(target, Link.name):
            made = file
        lost = lost if now.is_stopped or change.keep_running else now.is_masked
    return replace(target, made=made, last_seen=now, settings_lost=lost)
