"""A rollout as JSON for programs: how it goes on, and every target. Existing keys stay; new ones may be added."""

from collections import Counter
from typing import Any

from bot.core.requests import Rollout, RolloutTarget, Selection, TargetStatus

Shown = dict[str, Any]


def rollout(state: Rollout, asked: Selection | None) -> Shown:
    """`counts` are targets by status, of those that belong to the plan and of those left out."""
    return {
        "hosts": list(asked.hosts) if asked else [],
        "units": [str(unit) for unit in asked.units] if asked else [],
        "wave": state.wave,
        "waves": state.last_wave,
        "paused": _paused(state) if state.paused_at else None,
        "waits_for": state.waits_for or None,
        "stopped": {"at": state.stopped_at.isoformat(), "by": state.stopped_by} if state.stopped_at else None,
        "counts": dict(Counter(str(one.status) for one in state.targets)),
        "planned": len(state.planned),
        "targets": [_target(one) for one in state.targets],
    }


def is_as_asked(state: Rollout) -> bool:
    """Whether every target that belongs to the plan is done as asked."""
    return bool(state.planned) and all(one.status is TargetStatus.DONE for one in state.planned)


def _paused(state: Rollout) -> Shown:
    """`by` is None if it paused by itself."""
    at = state.paused_at.isoformat() if state.paused_at else None
    return {"at": at, "by": state.paused_by or None, "why": state.why_paused or None}


def _target(one: RolloutTarget) -> Shown:
    """`like` describes the unit as it was when the rollout was planned; `request` carries the target out."""
    return {
        "host": one.host,
        "unit": str(one.unit),
        "request": one.request_id or None,
        "status": str(one.status),
        "wave": one.wave or None,
        "like": one.state_summary or None,
        "outcome": one.outcome or None,
        "note": one.note or None,
    }
