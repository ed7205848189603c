"""Sentences about what happens to a rollout while it is carried out."""

from bot.core.requests import Followup, FollowupKind, KeepActive, Request, Rollout

NOT_BEGUN = "Its rollout was over before its turn came."
TIME_IS_UP = "its time is up"


NOTHING_FAILED = "There is nothing to retry: nothing of it failed, or it is still being carried out."
_STEERED = {
    FollowupKind.PAUSE: "{} paused the rollout. What was begun is finished; nothing more is begun.",
    FollowupKind.GO_ON: "{} lets the rollout go on.",
    FollowupKind.STOP_HERE: "{} stopped the rollout here. What is done stays as it is.",
}


def steered(followup: Followup) -> str:
    """Tell everybody what somebody did to the rollout."""
    return _STEERED[followup.kind].format(followup.name)


def kill_switch_is_on(by: str) -> str:
    """Why a rollout waits."""
    return f"because {by} stopped all new masks"


def too_few_active(rule: KeepActive, active: int) -> str:
    """Why the next target waits."""
    return f"{rule.at_least} of @{rule.group} must stay active, and {active} are"


def would_leave_too_few(rule: KeepActive, active: int, masked: int) -> str:
    """Why a plan is refused that can never be carried out to its end."""
    most = max(0, active - rule.at_least)
    return (
        f"{rule.at_least} of @{rule.group} must stay active. {active} are active now, and this would leave "
        f"{active - masked}. Ask for at most {most} of them."
    )


def paused(request: Request, rollout: Rollout) -> str:
    """Tell the owner that the rollout has paused by itself."""
    change = request.ask.change
    failed = [one for one in rollout.planned if one.status == "failed"]
    names = ", ".join(f"{one.unit} on {one.host}" for one in failed[:5])
    what = f": {names}" if names else ""
    return (
        f"The rollout of {change.unit} paused {rollout.why_paused}{what}. Go on, stop it here, or undo it on its card."
    )
