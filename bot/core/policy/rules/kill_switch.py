"""The kill switch: one person stops new masks, and two have to thaw it."""

from bot.core.policy.model import Facts, Moment, Policy, Refuse
from bot.core.requests import Verdict

KILL_SWITCH_ON = "kill_switch_on"


def new_masks_are_not_stopped(facts: Facts, _policy: Policy) -> Refuse | None:
    """No mask is requested, approved, started or made to last; what waits may be denied, and every undo goes on."""
    if facts.kill_switch is None or not facts.request.lasts_like_a_new_mask or only_denies(facts):
        return None
    by, since = facts.kill_switch.by_name, facts.kill_switch.since
    since_when = f"{since:%Y-%m-%d %H:%M} UTC"
    why = f"The kill switch has been on since {since_when}, by {by}: {facts.kill_switch.reason.rstrip('.')}."
    return Refuse(KILL_SWITCH_ON, why, "To turn it off, two people who may approve type `/mask thaw`.")


def only_denies(facts: Facts) -> bool:
    """Whether the vote denies. Counted approvals are kept, and are used after the thaw if they are still good then."""
    return facts.moment is Moment.VOTE and facts.verdict is not Verdict.APPROVE
