"""Messages in the thread of a rollout: why it pauses, who continued or stopped it, and what is asked again."""

from collections.abc import Sequence

from bot.core.cards.rollout.counts import others, progress, word, worst
from bot.core.cards.titles import subject
from bot.core.requests import Request, Rollout, RolloutTarget
from bot.core.rollout.joining import is_missing

_NAMED = 3


def paused_by_itself(request: Request, rollout: Rollout) -> str:
    """To its owner, who is mentioned."""
    failed = [f"{_name(one)}: {one.note or word(request, one)}" for one in worst(request, rollout)[:_NAMED]]
    said = f"The rollout of {subject(request)} pauses {rollout.why_paused}. {_stands(request, rollout)}"
    return "\n".join([said, *failed, f"Nothing more is begun until somebody presses {_buttons(request)} on the card."])


def paused(request: Request, rollout: Rollout, by: str) -> str:
    """Somebody paused it."""
    return f"{by} paused the rollout. {_stands(request, rollout)}"


def continued(request: Request, rollout: Rollout, by: str) -> str:
    """Somebody let it go on; the failures so far do not pause it again."""
    return f"{by} resumed the rollout. {_stands(request, rollout)}"


def tries_again(rollout: Rollout, by: str) -> str:
    """Somebody has a hold tried at once wherever it is missing."""
    missing = [one for one in rollout.targets if is_missing(one)]
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return f"{by} asked the bot to try again now: {', '.join(_name(one) for one in missing[:_NAMED])}{more}."


def stopped(request: Request, rollout: Rollout, by: str) -> str:
    """Somebody stopped it; what was masked stays so."""
    stays = " What is masked stays masked: Undo all puts it back." if request.can_be_undone else ""
    return f"{by} stopped the rollout: nothing more is begun. {_stands(request, rollout)}{stays}"


def retried(targets: int, by: str) -> str:
    """Somebody retries what failed, under the same approval."""
    return f"{by} retries {targets} target{'s' * (targets != 1)} that failed. The approval is the same."


def asked_again(request: Request, target: RolloutTarget) -> str:
    """The plan of one target is not the one that was approved."""
    note = f": {target.note}" if target.note else ""
    return (
        f"The plan for {_name(target)} is not the one that was approved{note}. It needs approval again; "
        "the others go on."
    )


def not_in_force(targets: Sequence[RolloutTarget]) -> str:
    """To the owners of a hold, who are mentioned."""
    named = [f"{one.unit} is not held on {one.host}. {one.note}" for one in targets[:_NAMED]]
    more = [f"{len(targets) - _NAMED} more are not held either; Details lists them."] if len(targets) > _NAMED else []
    return "\n".join([*named, *more, "The bot tries again there, at growing intervals."])


def differs(target: RolloutTarget) -> str:
    """A host on which a hold is not in force yet; approvers and owners are mentioned."""
    return (
        f"The plan for {_name(target)} differs from what was approved for this hold, or more approvals are needed "
        "there. Its own card in this thread asks for approval."
    )


def _stands(request: Request, rollout: Rollout) -> str:
    rest = others(request, rollout)
    return f"{progress(request, rollout)}{f', {rest}' if rest else ''}."


def _buttons(request: Request) -> str:
    return "Go on now, Stop here or Undo all" if request.can_be_undone else "Go on now or Stop here"


def _name(target: RolloutTarget) -> str:
    return f"{target.unit} on {target.host}"
