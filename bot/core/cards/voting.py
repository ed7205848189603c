"""What voters are told: why an approval does not count, or does not help yet; and how a request was decided."""

from collections.abc import Sequence

from bot.core.requests import Approval, Request, Vote

MAY_NOT_ANY_MORE = "May no longer approve this."
TRY_AGAIN = "Try again in a moment."
NOT_ON_ITS_CARD = "This button is not on the request's own card, so it does not count. Use the original card."
PLAN_CHANGED = "The plan has changed since this card was shown. Read the new plan, then approve or deny."
WITH_ITS_ROLLOUT = "This is one target of a rollout, and waits for its wave. Approve or deny the rollout on its card."
CONFIRM_CONSOLE = "This unit is guarded: to approve, confirm that console access works today."
DECIDED_ALREADY = "You have already approved or denied this; each person counts once."
BEING_CHECKED = (
    "Your first click is being checked. If it counts, the card shows it; if you may not approve, you get a message."
)
NEEDS_MORE = "who may approve: it needs more approvals now"


def not_in_time(request: Request, approval: Approval) -> str:
    """Why a request ended: too few approvals by its deadline."""
    return f"Not approved in time ({request.have} of {approval.need})."


def denied(vote: Vote) -> str:
    """Who denied a request, and why."""
    return f"{vote.voter_name} denied it" + (f": {vote.reason}" if vote.reason else ".")


def missing_groups(groups: Sequence[str]) -> str:
    """Tell a voter that their approval does not help yet, because another group's is missing."""
    missing = " and ".join(f"@{group}" for group in groups)
    return f"Your approval counts, but each must come from a different group. Still missing: {missing}."


def lost(voters: Sequence[Vote], *, step_up: bool = False) -> str:
    """Whose approval was lost, and why; `step_up`: each approval needs a code now."""
    without_code = [vote for vote in voters if step_up and not vote.stepped_up]
    others = [vote for vote in voters if vote not in without_code]
    said = [f"{_names(others)} may no longer approve this"] if others else []
    said += [f"{_names(without_code)} approved without a code, which is needed now"] if without_code else []
    return "; ".join(said)


def lost_note(request: Request, voters: Sequence[Vote], *, step_up: bool = False) -> str:
    """Tell everybody that approvals were lost, and how many are left."""
    need = request.approval.need if request.approval else 0
    why = lost(voters, step_up=step_up)
    count = "approvals no longer count" if len(voters) > 1 else "approval no longer counts"
    return f"{why}, so their {count}. The request has {request.have} of {need} approvals."


def _names(voters: Sequence[Vote]) -> str:
    return " and ".join(vote.voter_name or vote.voter.user for vote in voters)


def replaced_policy(why: str) -> str:
    """Why a request ended under a policy that is newer than the request."""
    return f"The policy changed while this waited. {why}"


def needs_more(before: Approval, now: Approval) -> tuple[str, ...]:
    """The requirements with the reasons that raise them now, if they did not when people were asked."""
    new = [raised.why for raised in now.raised if raised.code not in {old.code for old in before.raised}]
    if now.need <= before.need and not new:
        return ()
    why = f" ({'; '.join(new)})" if new else ""
    return (f"how many must approve: {before.need} → {now.need}{why}",)
