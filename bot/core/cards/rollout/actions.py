"""The buttons of a rollout that runs or is over: what can be done with it now."""

from collections.abc import Iterator

from bot.core.cards.blocks import Action
from bot.core.cards.buttons import end_buttons
from bot.core.requests import Outcome, Request, Rollout, Stage, TargetStatus
from bot.core.rollout.steering import waits_for_somebody

_FINAL = (Outcome.NOT_OURS, Outcome.RESTORED_PARTLY)  # which no retry makes better
_OF_A_HOLD = (TargetStatus.LOST, TargetStatus.LEFT_OUT)  # the bot tries these by itself, and at once if somebody asks
_NOT_BEGUN = (TargetStatus.READY, TargetStatus.ASKED_AGAIN)


def actions(request: Request) -> tuple[Action, ...]:
    """All of them, the most useful first; a card shows four at most."""
    rollout = request.rollout or Rollout()
    found = _over(request, rollout) if request.stage is Stage.DONE else _running(request, rollout)
    return (*found, Action.DETAILS)


def _running(request: Request, rollout: Rollout) -> Iterator[Action]:
    undo = (Action.UNDO_ALL,) if request.can_be_undone else ()
    if rollout.stopped_at:
        yield from undo
    elif rollout.paused_at:
        yield from (Action.GO_ON, Action.STOP_HERE, *undo)
    elif rollout.with_status(*_NOT_BEGUN):
        if waits_for_somebody(rollout):
            yield Action.GO_ON
        yield from (Action.PAUSE, Action.STOP_HERE)


def _over(request: Request, rollout: Rollout) -> Iterator[Action]:
    if request.can_be_undone:
        yield Action.UNDO_ALL
    failed = rollout.with_status(TargetStatus.FAILED, *(_OF_A_HOLD if request.hold else ()))
    if not (request.undone_by or request.repeated_by) and any(one.outcome not in _FINAL for one in failed):
        yield Action.RETRY_FAILED
    if request.hold:
        yield Action.KEEP
    elif request.is_live_mask:
        yield from end_buttons(request)
