"""Force the stop that a mask of ours waits for: one SIGKILL, and only to the run that people saw."""

from datetime import datetime

from bot.core.requests import Outcome
from bot.core.steps.kinds import Done, Kill, Step, StepContext, newest, times
from bot.core.systemd.units import ActiveState, Snapshot

WITHDRAWN = "The mask that waited for it was withdrawn. Nothing was killed."
OVER = "Its stop had ended by itself. Nothing was killed."
_NO_ANSWER = "SIGKILL was sent, but no answer came, so the unit may have ended by itself."
_STILL = "SIGKILL was sent, and systemd is still stopping the unit. Its mask keeps waiting."


def next_force_step(context: StepContext, now: Snapshot, at: datetime) -> Step:
    """Kill what still stops, then let systemd finish the stop; the mask itself is another request's."""
    target, kill = context.target, newest(context.target, Kill.name)
    if not is_same_stop(target.planned, now):
        if kill is None:
            return Done(Outcome.NO_CHANGE, OVER)
        return Done(Outcome.KILLED, "" if kill.exit_code == 0 else _NO_ANSWER)
    if kill is None and not context.is_wanted:
        return Done(Outcome.NO_CHANGE, WITHDRAWN)
    if kill is None or (kill.exit_code is None and times(target, Kill.name) < context.limits.same_command):
        return Kill()
    if kill.exit_code not in (0, None):
        return Done(Outcome.FAILED, kill.output)
    wait = context.limits.wait(kill.at, at)
    return Done(Outcome.KILLED, _STILL) if wait.is_slow else wait


def is_same_stop(seen: Snapshot | None, now: Snapshot) -> bool:
    """Whether the unit still stops, in the run that people saw."""
    is_stopping = now.active is ActiveState.DEACTIVATING
    return is_stopping and seen is not None and now.invocation == seen.invocation
