"""Force-stop: allowed only for a stop that one of our masks waits for, and only for the stop that people approved."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.steps.force_stop import OVER, WITHDRAWN, is_same_stop

STOP_IS_OVER = "stop_is_over"


def stop_is_waited_for(facts: Facts, _policy: Policy) -> Refuse | None:
    """A kill serves a mask: without a mask that waits, nobody agreed to lose anything."""
    request, mask = facts.request, facts.own_mask
    if not request.ask.change.force:
        return None
    if mask is None:
        why = "`--force` kills (SIGKILL) a unit whose mask waits for its stop, and no mask of ours waits for"
        return Refuse("no_stop", f"{why} {request.ask.change.unit} on {facts.host.name}.")
    if mask.target.called_off:
        return Refuse(STOP_IS_OVER, WITHDRAWN)
    seen = facts.snapshot
    if not mask.can_be_forced or (seen and not is_same_stop(request.target.planned, seen)):
        return Refuse(STOP_IS_OVER, OVER)
    return None
