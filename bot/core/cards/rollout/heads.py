"""The head lines of a rollout, and how it ended, never better than what was proven."""

from bot.core.cards.rollout.counts import as_asked, goal, others, progress
from bot.core.cards.rollout.reasons import TIME_IS_UP
from bot.core.cards.titles import units_of
from bot.core.requests import Request, Rollout, Stage, TargetStatus, Verb

_NAME = 40  # characters of a person's name


def title(request: Request, rollout: Rollout) -> str:
    """The state of a rollout that runs or is over, for a head line."""
    if request.stage is not Stage.DONE:
        does, name = _running(request, rollout)
        return f"{_loud(does, name)} · {progress(request, rollout)}{_in_doubt(rollout)}"
    if request.undone_by:
        return "OUR MASKS ARE GONE" if request.was_gone else "UNDONE"
    if is_whole(request, rollout):
        whole = "UNMASKED AND AS BEFORE" if request.ask.undoes else goal(request).upper()
        return f"{whole} ON {_scale(rollout)}" + ", HELD" * bool(request.hold)
    rest = others(request, rollout)
    if rollout.stopped_at:
        return f"{_loud(*_stopped(rollout))} · {progress(request, rollout)}, {rest}"
    return f"{progress(request, rollout).upper()} · {rest}"


def head(request: Request, rollout: Rollout) -> str:
    """The head line; once it is over it names the units, too."""
    if request.stage is not Stage.DONE:
        return title(request, rollout)
    return f"{title(request, rollout)} · {units_of(request)}"


def ending(request: Request, rollout: Rollout) -> str:
    """How it ended, in a sentence: `masked and proven`, `9 of 12 masked and proven, 2 failed, 1 not begun`."""
    if request.undone_by:
        return "our masks are gone" if request.was_gone else "undone"
    if is_whole(request, rollout):
        return "unmasked, as before" if request.ask.undoes else goal(request)
    stopped = f"stopped {stopped_why(rollout)}, " if rollout.stopped_at else ""
    return f"{stopped}{progress(request, rollout)}, {others(request, rollout)}"


def state_in_list(request: Request, rollout: Rollout) -> str:
    """How it stands, in a list: `paused after 1 failure, 4 of 12 masked and proven, 1 failed`."""
    if request.stage is Stage.DONE:
        return ending(request, rollout)
    rest = others(request, rollout)
    state = " ".join(filter(None, _running(request, rollout)))
    return f"{state}, {progress(request, rollout)}{f', {rest}' * bool(rest)}"


def stopped_why(rollout: Rollout) -> str:
    """`by bob`, or that its time is up."""
    return " ".join(_stopped(rollout)).removeprefix("stopped ").strip()


def is_whole(request: Request, rollout: Rollout) -> bool:
    """Whether every target of the plan is proven to be as asked."""
    return len(as_asked(request, rollout)) == len(rollout.planned) > 0


def _running(request: Request, rollout: Rollout) -> tuple[str, str]:
    """What it does now, and by whom or why."""
    if rollout.stopped_at:
        return _stopped(rollout)
    if rollout.paused_at:
        return "paused by" if rollout.paused_by else f"paused {rollout.why_paused}".rstrip(), rollout.paused_by
    asked = rollout.with_status(TargetStatus.ASKED_AGAIN)
    if asked and not any(one.status.is_open or one.status is TargetStatus.READY for one in rollout.planned):
        return f"{len(asked)} asked again", ""
    if rollout.last_wave > 1:
        done = " done" if rollout.is_between_waves else ""
        return f"wave {max(1, rollout.wave)} of {rollout.last_wave}{done}", ""
    return "masking" if request.ask.change.verb is Verb.MASK else "unmasking", ""


def _stopped(rollout: Rollout) -> tuple[str, str]:
    if rollout.stopped_by == TIME_IS_UP:
        return f"stopped {TIME_IS_UP}", ""
    return "stopped by", rollout.stopped_by


def _loud(state: str, name: str) -> str:
    """A state in capitals, and a name as it is written."""
    return f"{state.upper()} {name[:_NAME]}".rstrip()


def _in_doubt(rollout: Rollout) -> str:
    """What nobody may overlook while it runs."""
    failed = 0 if rollout.paused_at else len(rollout.with_status(TargetStatus.FAILED))
    unknown = len(rollout.with_status(TargetStatus.UNKNOWN))
    return f", {failed} failed" * bool(failed) + f", {unknown} not known yet" * bool(unknown)


def _scale(rollout: Rollout) -> str:
    """`12 HOSTS`, or its name if it is only one; with the number of units where not every host has all of them."""
    planned = rollout.planned
    hosts, units = {one.host for one in planned}, {one.unit for one in planned}
    where = f"{len(hosts)} HOSTS" if len(hosts) > 1 else planned[0].host
    return where if len(planned) == len(hosts) * len(units) else f"{where} ({len(planned)} UNITS)"
