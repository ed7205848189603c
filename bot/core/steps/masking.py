"""From an ordinary unit to a masked one: link, stop, reload, prove."""

from datetime import datetime

from bot.core.changes import Outcome, Target
from bot.core.other_names import startable
from bot.core.steps.kinds import (
    Done,
    Link,
    Reload,
    Step,
    Stop,
    TryStart,
    Wait,
    Work,
    is_a_try,
    is_tried,
    label,
    newest,
    started,
    times,
    was_started,
)
from bot.core.units import ActiveState, FileKind, Snapshot

SHORTEST_WAIT, LONGEST_WAIT = 0.02, 2.0  # seconds between two looks while it stops
_TAKEN = "The mask was taken away by somebody else while it was being made."
_LATE = "It was told to stop and has not stopped within its own time limit."
_STARTED = "A start was tried as a proof and was not refused."
_UNANSWERED = "A start was tried as a proof, and no answer came; it is proven by its properties alone."


def next_mask_step(work: Work, now: Snapshot, at: datetime) -> Step:
    """`mask --now` would reload before it stops and so throw away the unit's ExecStop= and timeouts (measured).

    So the link is made without a reload, the unit is stopped with its own settings, and only then is the mask loaded.
    """
    target = work.target
    if target.layer is None:
        raise ValueError("a mask needs a layer")
    if now.layer(target.layer).kind is not FileKind.MASK:
        return _make_link(work, now)
    if not target.sent and target.made is None and now.is_masked:
        return Done(Outcome.NO_CHANGE, "It was masked already when its turn came, by somebody else.")
    if not work.change.keep_running and not now.active.is_down:
        return _bring_down(work, now, at)
    is_read = now.fragment == now.layer(target.layer).path or times(target, Reload.name) > 0
    return _prove(work, now) if now.is_masked and is_read else _load_mask(work, now)


def _make_link(work: Work, now: Snapshot) -> Step:
    """The link comes first: where it cannot be made, nothing has been stopped yet."""
    target = work.target
    link = newest(target, Link.name)
    if link is None:
        return Done(Outcome.NO_CHANGE, "It was masked already when its turn came.") if _anew(target, now) else Link()
    if times(target, Stop.name):
        return Done(Outcome.NOT_PROTECTED, _TAKEN)
    if link.exit_code is None and target.made is None and times(target, Link.name) < work.limits.same_command:
        return Link()
    return Done(Outcome.FAILED, _TAKEN if target.made or link.exit_code == 0 else link.output)


def _anew(target: Target, now: Snapshot) -> bool:
    """It is masked, and was not when its turn came. What was there before, until the next reboot, is made to last."""
    return now.is_masked and not (target.before and target.before.is_masked)


def _bring_down(work: Work, now: Snapshot, at: datetime) -> Step:
    """Stop it with its own settings, wait as long as that may take, and do not stop it for ever."""
    target, limits = work.target, work.limits
    stop = newest(target, Stop.name)
    if stop is None:
        return Stop()
    if now.active is ActiveState.DEACTIVATING or now.pending_job:
        waited = (at - stop.at).total_seconds()
        if waited < limits.stop_seconds(target.before or now):
            return Wait(min(LONGEST_WAIT, max(SHORTEST_WAIT, waited / 4)))
        return Done(Outcome.MASKED_RUNNING, _LATE) if now.is_masked else _load_mask(work, now)
    if now.is_masked:
        return _still_up(target, now, stop.output)
    refused = stop.exit_code not in (0, None)
    return _load_mask(work, now) if refused or times(target, Stop.name) > limits.stops_again else Stop()


def _still_up(target: Target, now: Snapshot, stop_said: str) -> Step:
    """Masked, told to stop, and up: it never went down, or something started it in the gap, or our own proof did."""
    if was_started(target):
        return _start_was_not_refused(target)
    if target.before is not None and now.invocation != target.before.invocation:
        return Done(Outcome.MASKED_RESTARTED, "Something started it again before the mask was loaded.")
    return Done(Outcome.MASKED_RUNNING, stop_said)


def _load_mask(work: Work, now: Snapshot) -> Step:
    """systemd reads the link; one that it does not show after a few reloads it will not show after more."""
    if times(work.target, Reload.name) < work.limits.same_command:
        return Reload()
    stopped = now.active.is_down and times(work.target, Stop.name)
    reload = newest(work.target, Reload.name)
    return Done(Outcome.NOT_PROTECTED if stopped else Outcome.NOT_LOADED, reload.output if reload else "")


def _prove(work: Work, now: Snapshot) -> Step:
    """Masked, and down if that was asked. A start that is refused completes the proof."""
    target = work.target
    by_hand = not (target.before and target.before.refuse_manual_start)
    tried = newest(target, TryStart.name)
    unanswered = tried is None or tried.exit_code is None
    if work.try_start and by_hand and unanswered and times(target, TryStart.name) < work.limits.same_command:
        return TryStart()
    for name in startable(target.before, now) if tried else ():
        if not is_tried(target, label(TryStart(name)), work.limits):
            return TryStart(name)
    if started(target):
        return Done(Outcome.NOT_LOADED if work.change.keep_running else Outcome.NOT_PROTECTED, _STARTED)
    if tried is not None and unanswered:
        return Done(Outcome.PROVEN, _UNANSWERED)
    return Done(Outcome.PROVEN, "" if tried else "A start was not tried as a proof.")


def _start_was_not_refused(target: Target) -> Step:
    """What should have been refused ran: it goes down again, and the card says so."""
    first_try = next(position for position, sent in enumerate(target.sent) if is_a_try(sent))
    stopped_since = any(sent.step == Stop.name for sent in target.sent[first_try:])
    return Done(Outcome.NOT_PROTECTED, _STARTED) if stopped_since else Stop()
