"""The one next step: look at the unit, ask here what to do, do that, look again, until the answer is Done.

Nothing depends on remembering which step was last. What was sent is known, because it was recorded before it was
sent; whether it worked is read from the snapshot alone.
"""

from dataclasses import replace
from datetime import datetime

from bot.core.changes import Change, Target, Verb
from bot.core.steps.kinds import Done, Limits, Link, Step, Work, times
from bot.core.steps.masking import next_mask_step
from bot.core.steps.restoring import next_undo_step, next_unmask_step
from bot.core.units import FileKind, Snapshot

__all__ = ["Done", "Limits", "Step", "Work", "next_step", "observe"]


def next_step(work: Work, now: Snapshot, at: datetime) -> Step:
    """The one step that brings the unit nearer to what was asked for. Pure: the same look gives the same step."""
    if work.change.verb is Verb.MASK:
        return next_mask_step(work, now, at)
    return next_undo_step(work, now, at) if work.undoes else next_unmask_step(work, now)


def observe(target: Target, change: Change, now: Snapshot) -> Target:
    """What a look teaches that later steps, the card and the undo need to know."""
    made, lost = target.made, target.settings_lost
    if change.verb is Verb.MASK and target.layer:
        file = now.layer(target.layer)
        if made is None and file.kind is FileKind.MASK and times(target, Link.name):
            made = file
        lost = lost or (now.is_masked and not now.active.is_down and not change.keep_running)
    return replace(target, made=made, last_seen=now, settings_lost=lost)
