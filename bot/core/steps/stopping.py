"""Stop a unit before its mask: with its own settings, to the end, and with a limit if something restarts it."""

from datetime import datetime

from bot.core.requests import Outcome, Sent, Target
from bot.core.steps.kinds import (
    Done,
    Link,
    Probe,
    Reload,
    Step,
    StepContext,
    StepLimits,
    Stop,
    Unlink,
    is_a_try,
    is_on_its_way_down,
    newest,
    times,
    try_start_was_sent,
)
from bot.core.systemd.units import ActiveState, Snapshot

STARTED = "The test start was not refused."
# A stop in the middle of a reload skips ExecStop= and kills at once (measured).
_NOT_NOW = (ActiveState.RELOADING, ActiveState.REFRESHING, ActiveState.MAINTENANCE)
_LINKS = (Link.name, Unlink.name)
_AGAIN = "Something started it again each time, before the mask was loaded."


def next_stop_step(context: StepContext, now: Snapshot, at: datetime) -> Step | None:
    """The next step that brings the unit down; None if nothing does: it is masked while it runs, and the card says so.

    systemd says when a stop ends: the unit is down, no job is queued for it, no process of it is left. There is no time
    limit of ours, for each stop command has its own, and a unit may ask for more time.
    """
    target, stop = context.target, newest(context.target, Stop.name)
    has_rounds = _has_rounds(context)
    if has_rounds and _is_in_the_way(target, now):
        return _out_of_the_way(target, now)
    if now.active in _NOT_NOW or (stop and is_on_its_way_down(now)):
        since = stop.at if stop else context.begun or at
        return context.limits.wait(since, at, often=times(target, Stop.name) > 1)
    if stop is None:
        return _probe(target, context.limits) or Stop()
    if try_start_was_sent(target):
        return _start_was_not_refused(target)
    refused = stop.exit_code not in (0, None)
    if refused and times(target, Stop.name) == 1:
        return Done(Outcome.FAILED, stop.output)
    return Stop() if has_rounds and not refused else None


def still_up(target: Target, now: Snapshot) -> Done:
    """Masked, told to stop, and up: something restarted it each time, or it never went down."""
    if target.before is not None and now.invocation != target.before.invocation:
        return Done(Outcome.MASKED_RESTARTED, _AGAIN)
    stop = newest(target, Stop.name)
    return Done(Outcome.MASKED_RUNNING, stop.output if stop else "")


def _probe(target: Target, limits: StepLimits) -> Step | None:
    """Try a link under a name that no unit has; None once that was seen to work."""
    tried = newest(target, Probe.name)
    if tried is None or (tried.exit_code is None and times(target, Probe.name) < limits.same_command):
        return Probe()
    return None if tried.exit_code == 0 else Done(Outcome.FAILED, tried.output)


def _has_rounds(context: StepContext) -> bool:
    """Whether to stop it once more: three more times, counted by the stops or by the links that came too early."""
    unlinked = sum(sent.step.partition(" ")[0] == Unlink.name for sent in context.target.sent)
    return max(times(context.target, Stop.name) - 1, unlinked) < context.limits.stops_again


def _is_in_the_way(target: Target, now: Snapshot) -> bool:
    """Whether our link is there or loaded while the unit still needs its settings for the stop.

    After a start that slipped past the mask, the mask stays.
    """
    if try_start_was_sent(target):
        return False
    is_read = (
        now.is_masked and was_unlinked(target) and not any(sent.step == Reload.name for sent in since_link(target))
    )
    return _is_our_link(target, now) or is_read


def _out_of_the_way(target: Target, now: Snapshot) -> Step:
    """Remove the link, then reload: with that the unit has its settings again."""
    return Unlink(target.made.layer) if target.made and _is_our_link(target, now) else Reload()


def _is_our_link(target: Target, now: Snapshot) -> bool:
    return target.made is not None and now.layer(target.made.layer).identity == target.made.identity


def was_unlinked(target: Target) -> bool:
    """Whether we removed our link again because the unit ran."""
    links = [name for sent in target.sent if (name := sent.step.partition(" ")[0]) in _LINKS]
    return links[-1:] == [Unlink.name]


def since_link(target: Target) -> tuple[Sent, ...]:
    """What was sent after the newest change of our link; everything, if this request has not changed it."""
    changed = [position for position, sent in enumerate(target.sent) if sent.step.partition(" ")[0] in _LINKS]
    return target.sent[changed[-1] + 1 :] if changed else target.sent


def _start_was_not_refused(target: Target) -> Step:
    """The start that should have been refused ran: stop the unit again, and the card says so."""
    first_try = next(position for position, sent in enumerate(target.sent) if is_a_try(sent))
    stopped_since = any(sent.step == Stop.name for sent in target.sent[first_try:])
    return Done(Outcome.NOT_PROTECTED, STARTED) if stopped_since else Stop()
