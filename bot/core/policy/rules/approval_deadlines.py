"""Two deadlines: how long people have to approve, and how long their approval is good."""

from bot.core.policy.model import Facts, Moment, Policy, Refuse
from bot.core.requests import Stage


def there_is_still_time_to_decide(facts: Facts, _policy: Policy) -> Refuse | None:
    """Checked at the vote itself, so that a late timer lets no late approval through."""
    request = facts.request
    if request.stage is not Stage.WAITING or request.approval is None or facts.now <= request.approval.approve_by:
        return None
    why = f"Nobody approved in time: the request timed out at {request.approval.approve_by:%H:%M} UTC."
    return Refuse("not_approved_in_time", why, "Ask again if you still need it.")


def approval_is_still_good(facts: Facts, _policy: Policy) -> Refuse | None:
    """An old approval does not count: people may see the change differently by now."""
    act_by = facts.request.act_by
    if facts.moment is not Moment.ACT or act_by is None or facts.now <= act_by:
        return None
    return Refuse(
        "approval_timed_out", f"The approval was valid until {act_by:%H:%M} UTC.", "Ask again if you still need it."
    )
