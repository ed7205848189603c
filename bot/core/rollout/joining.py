"""A hold goes on: to hosts that join one of its groups, and to those where it is not in force yet."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.requests import Request, Rollout, RolloutTarget, Stage, TargetStatus
from bot.core.rollout.next_wave import ANOTHER_FAILED
from bot.core.rollout.progress import Progress, with_progress
from bot.core.systemd.units import UnitName

LONGEST = timedelta(days=1)  # pause before a target is tried again
_NOT_THERE = (TargetStatus.LEFT_OUT, TargetStatus.FAILED)
_PEOPLE_SAID_NO = (Stage.DENIED, Stage.WITHDRAWN)


def as_it_stands(rollout: Rollout, found: Iterable[Progress], again_at: datetime) -> Rollout:
    """The rollout of a hold with each target as its request is now.

    `again_at`: when those are tried again whose request has just ended without a mask. What people denied or withdrew
    is left to them; what they approved by its own card is approved for other hosts as well.
    """
    newest = {one.request_id: one for one in found}
    known = with_progress(rollout, newest.values())
    return rollout.put(*(_settled(one, newest.get(one.request_id), again_at) for one in known.targets))


def _settled(target: RolloutTarget, now: Progress | None, again_at: datetime) -> RolloutTarget:
    if now and now.stage in _PEOPLE_SAID_NO and target.tries:
        return replace(target, status=TargetStatus.SKIPPED, note=now.note)
    if is_missing(target) and target.tries and target.again_at is None:
        return replace(target, again_at=again_at)
    if now and now.is_asked_again and target.status is TargetStatus.DONE and not target.digest:
        return replace(target, digest=now.digest)
    return target


def is_missing(target: RolloutTarget) -> bool:
    """Whether the hold is not in force there, nobody wants that, and nothing was left halfway."""
    was_not_begun = target.status is TargetStatus.SKIPPED and target.note == ANOTHER_FAILED
    return was_not_begun or (target.status in _NOT_THERE and not target.can_be_undone)


def is_over_and_held(request: Request) -> bool:
    """Whether its waves are over and it is a hold: from then on it is tried again wherever it is missing."""
    return request.rollout is not None and request.stage is Stage.DONE and request.hold is not None


def is_missing_somewhere(rollout: Rollout) -> bool:
    """Whether there is a target on which the hold is tried again."""
    return any(is_missing(one) for one in rollout.targets)


def tried_now(rollout: Rollout, now: datetime) -> Rollout:
    """The rollout with all that is missing due to be tried again: the policy has changed, or somebody wants it."""
    missing = (one for one in rollout.targets if is_missing(one) and one.tries)
    return rollout.put(*(replace(one, again_at=now) for one in missing))


def tried_at_once(rollout: Rollout, now: datetime) -> Rollout:
    """The rollout that is due now, with all that is missing: somebody wants the hold tried again at once."""
    return replace(tried_now(rollout, now), joins_at=now)


def targets_to_ask(rollout: Rollout, named: Iterable[tuple[str, UnitName]], now: datetime) -> Iterator[RolloutTarget]:
    """The targets that need a request now: those that have joined, and those that are due to be tried again.

    `named` are the hosts and units that the hold names now; on a host that has left, nothing is tried again.
    """
    wanted, known = [*named], {(one.host, one.unit) for one in rollout.targets}
    hosts = {host for host, _ in wanted}
    for one in rollout.targets:
        is_due = not one.tries or (one.again_at is not None and one.again_at <= now)
        if one.host in hosts and is_missing(one) and is_due:
            yield replace(
                one, status=TargetStatus.PLANNING, wave=0, tries=one.tries + 1, again_at=None, digest="", kind=""
            )
    yield from (RolloutTarget(host, unit, tries=1) for host, unit in wanted if (host, unit) not in known)


def that_fit(
    rollout: Rollout, named: Iterable[tuple[str, UnitName]], most: int
) -> tuple[list[tuple[str, UnitName]], int]:
    """What the hold names, without those that would join beyond `most` targets; and how many those are."""
    known, wanted = {(one.host, one.unit) for one in rollout.targets}, [*dict.fromkeys(named)]
    new = [one for one in wanted if one not in known]
    beyond = {*new[max(0, most - len(known)) :]}
    return [one for one in wanted if one not in beyond], len(beyond)


def approved_kinds(rollout: Rollout) -> frozenset[str]:
    """The plans that people approved, but for their machines."""
    return frozenset(one.kind for one in rollout.targets if one.digest and one.kind)


def news(rollout: Rollout) -> tuple[RolloutTarget, ...]:
    """Where it is not in force for a reason that its owners do not know yet."""
    ended = (one for one in rollout.targets if one.tries and one.again_at)
    return tuple(one for one in ended if is_missing(one) and one.note != one.told)


def pause(missing_for: timedelta, shortest: timedelta) -> timedelta:
    """The pause before the next try: the longer it is missing, the longer, and a day at most."""
    return min(LONGEST, max(shortest, missing_for))
