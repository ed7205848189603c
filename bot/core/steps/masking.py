"""Mask a unit: stop, link, reload, prove."""

from datetime import datetime

from bot.core.requests import Outcome, Target
from bot.core.steps.kinds import (
    Done,
    Link,
    Reload,
    Step,
    StepContext,
    Stop,
    TryStart,
    is_tried,
    label,
    newest,
    times,
    try_start_succeeded,
)
from bot.core.steps.stopping import STARTED, next_stop_step, since_link, still_up, was_unlinked
from bot.core.systemd.aliases import startable
from bot.core.systemd.guard import REFUSED
from bot.core.systemd.units import FileKind, Snapshot

_TAKEN = "Somebody removed the mask while it was being made."
_FOREIGN = "Somebody else made this mask while the unit was being stopped."
_UNANSWERED = "The test start got no answer; the mask is proven by its properties only."


def next_mask_step(context: StepContext, now: Snapshot, at: datetime) -> Step:
    """The next step of a mask. `mask --now` would reload before the stop and lose the unit's ExecStop= (measured).

    Any reload does so once the link is there. So the unit is stopped with its own settings first, as soon as it is
    known that the link can be made; then it is linked, and only then is the mask loaded.
    """
    target = context.target
    if target.layer is None:
        raise ValueError("a mask needs a layer")
    is_linked = now.layer(target.layer).kind is FileKind.MASK
    if is_linked and not target.sent and target.made is None and now.is_masked:
        return Done(Outcome.NO_CHANGE, "Somebody else had already masked the unit when the bot came to it.")
    is_done_with = context.change.keep_running or now.is_stopped
    if not is_done_with and (step := next_stop_step(context, now, at)):
        return step
    if not is_linked:
        return _make_link(context, now)
    is_read = now.fragment == now.layer(target.layer).path or any(
        sent.step == Reload.name for sent in since_link(target)
    )
    if not (now.is_masked and is_read):
        return _load_mask(context, now)
    return _prove(context, now) if is_done_with else still_up(target, now)


def _make_link(context: StepContext, now: Snapshot) -> Step:
    target, link = context.target, newest(context.target, Link.name)
    if link is None and not target.sent and _anew(target, now):
        return Done(Outcome.NO_CHANGE, "The unit was already masked when the bot came to it.")
    if link is None or was_unlinked(target):
        return Link()
    if link.exit_code is None and target.made is None and times(target, Link.name) < context.limits.same_command:
        return Link()
    outcome = Outcome.NOT_PROTECTED if times(target, Stop.name) else Outcome.FAILED
    return Done(outcome, _TAKEN if target.made or link.exit_code == 0 else link.output)


def _anew(target: Target, now: Snapshot) -> bool:
    """It has been masked by somebody meanwhile; a runtime mask that was there before is made persistent."""
    return now.is_masked and not (target.before and target.before.is_masked)


def _load_mask(context: StepContext, now: Snapshot) -> Step:
    """Reload until systemd shows the link; after a few reloads without effect, more do not help."""
    reloads = [sent for sent in since_link(context.target) if sent.step == Reload.name]
    if len(reloads) < context.limits.same_command:
        return Reload()
    stopped = now.active.is_down and times(context.target, Stop.name)
    return Done(Outcome.NOT_PROTECTED if stopped else Outcome.NOT_LOADED, reloads[-1].output)


def _prove(context: StepContext, now: Snapshot) -> Step:
    """Masked, and stopped if that was asked. A start that is refused completes the proof."""
    target = context.target
    by_hand = not (target.before and target.before.refuse_manual_start)
    tried = newest(target, TryStart.name)
    unanswered = tried is None or tried.exit_code is None
    if context.try_start and by_hand and unanswered and times(target, TryStart.name) < context.limits.same_command:
        return TryStart()
    for name in startable(target.before, now) if tried else ():
        if not is_tried(target, label(TryStart(name)), context.limits):
            return TryStart(name)
    if try_start_succeeded(target):
        return Done(Outcome.NOT_LOADED if context.change.keep_running else Outcome.NOT_PROTECTED, STARTED)
    not_tried = tried is None or tried.exit_code == REFUSED  # the guard tries none where it sees no mask
    how = "A start was not tried." if not_tried else _UNANSWERED if unanswered else ""
    whose = "" if target.made else _FOREIGN
    return Done(Outcome.PROVEN, " ".join(filter(None, (how, whose))))
