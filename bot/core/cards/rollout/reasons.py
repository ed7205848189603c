"""Why a rollout waits, is refused, or was stopped, in short sentences."""

from bot.core.requests import Rollout, RolloutTarget, TargetStatus
from bot.core.rollout.keep_active import Count

_NAMED = 3
NOT_BEGUN = "Its rollout was over before its turn came."
TIME_IS_UP = "because its time is up"  # in place of the name of whoever stopped it
STILL_MADE = "for a host that is just being masked"
NOTHING_FAILED = "There is nothing to retry: nothing of it failed, or it is still being carried out."


def kill_switch_is_on(by: str) -> str:
    """Why a rollout waits."""
    return f"{by} stopped all new masks"


def too_few_active(count: Count) -> str:
    """Why the next target waits. A host on which something else is about to stop the unit does not count."""
    return f"{_must_stay(count)}, and is active on only {len(count.active)}"


def too_many_with_triggers(rollout: Rollout, most: int) -> str:
    """Why a set is refused that would have more targets than one request may have."""
    hosts = len({one.host for one in rollout.targets})
    return (
        f"With what triggers the units that is {len(rollout.targets)} targets on {hosts} host{'s' * (hosts != 1)}, and "
        f"one request may have {most}. Name fewer hosts or units, and ask for the others in another request."
    )


def is_full(beyond: int, most: int) -> str:
    """Why a hold does not go to hosts that have joined its groups."""
    return (
        f"The hold does not go to {beyond} more target{'s' * (beyond != 1)}: it has as many as one request may have "
        f"({most}). Hold them by another request."
    )


def named_twice(unit: str) -> str:
    """Why an alias is left out."""
    return f"it is {unit}, which is part of this already"


def goes_with(service: str) -> str:
    """Why a socket is left out of a set whose service is."""
    return f"its service {service} runs and is not masked with it, so this could not be started again"


def not_undone(undo: Rollout) -> str:
    """What the undo of a rollout did not bring to its end, the first few by name."""
    left = [one for one in undo.targets if one.status is not TargetStatus.DONE]
    notes = ((one, one.note.rstrip(".") or one.status.replace("_", " ")) for one in left[:_NAMED])
    named = [f"{one.unit} on {one.host}: {note}." for one, note in notes]
    more = [f"{len(left) - _NAMED} more."] if len(left) > _NAMED else []
    return " ".join([*named, *more]) or "Some masks were made during the undo. Undo again."


def would_leave_too_few(count: Count, masked: int) -> str:
    """Why a plan is refused that can never be carried out to its end."""
    active = len(count.active)
    then = f"Ask for at most {count.spare} of them." if count.spare > 0 else "Ask again when more hosts have it active."
    return f"{_must_stay(count)}. It is active on {active} now, and this would leave {active - masked}. {then}"


def _must_stay(count: Count) -> str:
    rule = count.rule
    return f"{count.unit} must stay active on {rule.at_least} host{'s' * (rule.at_least != 1)} of @{rule.group}"


def not_recorded(target: RolloutTarget) -> str:
    """Why a rollout waits until the operators have mended its database."""
    return f"the database says something about {target.unit} on {target.host} that the bot never recorded"


def not_any_more(why: str) -> str:
    """Why it pauses before its next wave: what was approved is refused by now."""
    return f"because the next wave would be refused now: {why.removesuffix('.')}"


def needs_more(need: int) -> str:
    """Why it pauses before its next wave: the policy or the approvers have changed."""
    return f"because its approvals no longer cover the next wave: it needs {need} now"
