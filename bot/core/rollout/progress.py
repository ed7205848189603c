"""How far the requests of a rollout's targets have come, and what that means for the rollout."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.core.requests import Outcome, Request, Rollout, RolloutTarget, Stage, TargetStatus


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the request of one target of a rollout has come: a glance at its row, which is not verified."""

    request_id: str
    host: str
    unit: str  # as asked until the first look, then its real name
    stage: Stage
    digest: str = ""
    outcome: str = ""
    note: str = ""  # why it ended as it did
    is_unknown: bool = False  # its outcome is not known yet
    is_asked_again: bool = False  # it has approvers of its own, because its plan has changed
    is_undone: bool = False
    is_lost: bool = False  # a hold whose mask was taken off
    looks: int = 0  # checks after the change that were made
    found: bool = False  # and whether they found something worse

    @classmethod
    def of(cls, request: Request) -> "Progress":
        """How far a request has come that was read as a whole, and verified."""
        target = request.target
        return cls(
            request.id,
            target.host,
            str(target.unit),
            request.stage,
            target.digest,
            str(target.outcome or ""),
            target.note or ("" if request.stage is Stage.DONE else request.because),
            is_unknown=target.unknown_since is not None,
            is_asked_again=request.approval is not None,
            is_undone=bool(request.undone_by),
            is_lost=request.hold_state.loss is not None,
            looks=request.aftercare.looks,
            found=bool(request.aftercare.found),
        )


_AS_ASKED = frozenset({Outcome.PROVEN, Outcome.RESTORED, Outcome.UNMASKED, Outcome.NO_CHANGE})
OUR_MASK_IS_GONE = frozenset({Outcome.RESTORED, Outcome.RESTORED_PARTLY, Outcome.UNMASKED, Outcome.NOT_OURS})
_TO_COME = (TargetStatus.PLANNING, TargetStatus.READY, TargetStatus.STARTED)
_STEPS = 20  # in which a rollout hears from its undo: each time, hundreds of targets are read and written
_STAYS = (TargetStatus.LEFT_OUT, TargetStatus.SKIPPED)


def with_progress(rollout: Rollout, found: Iterable[Progress]) -> Rollout:
    """The rollout with each target as its request is now."""
    newest = {one.request_id: one for one in found}
    known = (one for one in rollout.targets if one.request_id in newest and one.status not in _STAYS)
    return rollout.put(*(_as_now(one, newest[one.request_id]) for one in known))


def _as_now(target: RolloutTarget, now: Progress) -> RolloutTarget:
    status = _status(now, is_planned=target.wave > 0)
    has_ended = now.stage.is_final or status in (TargetStatus.ASKED_AGAIN, TargetStatus.UNKNOWN)
    return replace(target, status=status, outcome=now.outcome, note=now.note if has_ended else "")


def _status(now: Progress, *, is_planned: bool) -> TargetStatus:
    match now.stage:
        case Stage.ASKED:
            return TargetStatus.PLANNING
        case Stage.WAITING:
            return TargetStatus.ASKED_AGAIN if now.is_asked_again else TargetStatus.READY
        case Stage.APPROVED | Stage.RUNNING:
            return TargetStatus.UNKNOWN if now.is_unknown else TargetStatus.STARTED
        case Stage.DONE if now.is_undone:
            return TargetStatus.UNDONE
        case Stage.DONE if now.is_lost:
            return TargetStatus.LOST
        case Stage.DONE:
            return TargetStatus.DONE if now.outcome in _AS_ASKED else TargetStatus.FAILED
        case _:
            return TargetStatus.FAILED if is_planned else TargetStatus.LEFT_OUT


def with_undone(made: Rollout, undo: Rollout) -> Rollout:
    """The rollout with what its undo has undone until now."""
    gone = {(one.host, one.unit) for one in undo.targets if one.outcome in OUR_MASK_IS_GONE}
    return made.put(*(replace(one, status=TargetStatus.UNDONE) for one in made.targets if (one.host, one.unit) in gone))


def is_step(before: Rollout, now: Rollout) -> bool:
    """Whether an undo has come so much further that what it undoes hears of it; always once it only waits."""
    size = max(1, len(now.planned) // _STEPS)
    to_come = len(now.with_status(*_TO_COME))
    was_to_come = len(before.with_status(*_TO_COME))
    return to_come // size != was_to_come // size or (not to_come and before != now)
