"""Decide what a rollout does next: begin targets, wait, pause, or end. Asked again whenever something moves.

A target that is not known yet holds the next wave; nothing beyond the running wave is ever begun.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.requests.rollout import Rollout, RolloutTarget, TargetStatus
from bot.core.rollout.wave_sizes import share

ANOTHER_FAILED = "not begun: another unit of the set on this host did not end as asked"
STOPPED = "not begun: the rollout was stopped"
_SETTLED_WELL = (TargetStatus.DONE, TargetStatus.LEFT_OUT)
_OVER = (*_SETTLED_WELL, TargetStatus.FAILED, TargetStatus.UNDONE, TargetStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Turn:
    """What comes next. `begin`: targets to begin now. `at`: when time alone makes the next turn due."""

    rollout: Rollout
    begin: tuple[RolloutTarget, ...] = ()
    at: datetime | None = None
    is_over: bool = False


def next_turn(rollout: Rollout, now: datetime, *, is_checked: bool = True) -> Turn:
    """The next turn. `is_checked`: the first checks after the last wave are made, and found nothing worse."""
    if rollout.stopped_at:
        return _stop(rollout)
    rollout = _after_failures(_without_blocked(rollout), now)
    if rollout.paused_at:
        return Turn(rollout)
    begin = tuple(may_begin(rollout))
    if begin or any(one.status.is_open for one in rollout.targets):
        return Turn(rollout, begin=begin)
    return _after_wave(rollout, now, is_checked=is_checked)


def _stop(rollout: Rollout) -> Turn:
    """Nothing more is begun. It is over once what runs has ended: a host that is lost keeps no other from its undo."""
    ready = rollout.with_status(TargetStatus.READY, TargetStatus.ASKED_AGAIN)
    stopped = rollout.put(*(replace(one, status=TargetStatus.SKIPPED, note=STOPPED) for one in ready))
    return Turn(stopped, is_over=not stopped.with_status(TargetStatus.PLANNING, TargetStatus.STARTED))


def _without_blocked(rollout: Rollout) -> Rollout:
    """What comes after a failed unit on the same host is not begun."""
    if rollout.settings.each_alone:
        return rollout
    failed, blocked = set[str](), list[RolloutTarget]()
    for one in rollout.targets:
        if one.status is TargetStatus.READY and one.host in failed:
            blocked.append(replace(one, status=TargetStatus.SKIPPED, note=ANOTHER_FAILED))
        elif one.status in (TargetStatus.FAILED, TargetStatus.SKIPPED):
            failed.add(one.host)
    return rollout.put(*blocked)


def failed_with_its_set(rollout: Rollout) -> tuple[RolloutTarget, ...]:
    """The targets that failed, and those not begun on the same host because of them: half a set protects nothing."""
    return tuple(one for one in rollout.targets if one.status is TargetStatus.FAILED or one.note == ANOTHER_FAILED)


def _after_failures(rollout: Rollout, now: datetime) -> Rollout:
    """Pause after as many failures as the settings allow, or at the first changed plan where they are strict.

    With nothing left to begin there is nothing to pause: it ends, and says what failed.
    """
    if rollout.paused_at or not rollout.with_status(TargetStatus.READY):
        return rollout
    failed = len(rollout.with_status(TargetStatus.FAILED))
    limit = share(rollout.settings.stop_after, len(rollout.planned))
    if failed - rollout.forgiven >= limit:
        why = f"after {failed} failure" + "s" * (failed != 1)
        return replace(rollout, paused_at=now, paused_by="", why_paused=why)
    changed = len(rollout.with_status(TargetStatus.ASKED_AGAIN))
    if rollout.settings.strict and changed > rollout.forgiven_changes:
        return replace(rollout, paused_at=now, paused_by="", why_paused="because a plan has changed")
    return rollout


def _after_wave(rollout: Rollout, now: datetime, *, is_checked: bool) -> Turn:
    """The wave is settled: begin the next one after the pause, or end."""
    if rollout.wave >= rollout.last_wave:
        return Turn(rollout, is_over=not rollout.with_status(TargetStatus.ASKED_AGAIN))
    ended_at = rollout.wave_ended_at or now
    begins_at = ended_at + rollout.settings.pause if rollout.wave and not rollout.go_on else now
    if begins_at > now or not (is_checked or rollout.go_on):
        return Turn(replace(rollout, wave_ended_at=ended_at), at=begins_at if begins_at > now else None)
    begun = replace(rollout, wave=rollout.wave + 1, wave_ended_at=None, go_on=False)
    return Turn(begun, begin=tuple(may_begin(begun)))


def may_begin(rollout: Rollout) -> Iterator[RolloutTarget]:
    """Of the waves that have come: as many as may run at once, and of one host only the next unit in its order."""
    free = rollout.settings.in_parallel - len(rollout.with_status(TargetStatus.STARTED, TargetStatus.UNKNOWN))
    unsettled = set[str]()  # hosts on which a unit that comes first is not done
    for one in rollout.targets:
        if free <= 0:
            return
        if one.status is TargetStatus.READY and one.wave <= rollout.wave and one.host not in unsettled:
            free -= 1
            yield one
        if one.status not in (_OVER if rollout.settings.each_alone else _SETTLED_WELL):
            unsettled.add(one.host)
