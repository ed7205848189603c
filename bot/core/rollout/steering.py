"""What people do to a rollout that is being carried out: pause it, let it go on, stop it."""

from dataclasses import replace
from datetime import datetime

from bot.core.requests import Rollout, TargetStatus


def pause(rollout: Rollout, by: str, now: datetime) -> Rollout:
    """Nothing more is begun until somebody lets it go on. What was begun is finished."""
    return replace(rollout, paused_at=now, paused_by=by, why_paused=f"by {by}")


def go_on(rollout: Rollout) -> Rollout:
    """It goes on at once, without the rest of a pause; the failures and changed plans until now stop it no more."""
    failed = len(rollout.with_status(TargetStatus.FAILED))
    changed = len(rollout.with_status(TargetStatus.ASKED_AGAIN))
    freed = replace(rollout, paused_at=None, paused_by="", why_paused="")
    return replace(freed, go_on=True, forgiven=failed, forgiven_changes=changed)


def stop(rollout: Rollout, by: str, now: datetime) -> Rollout:
    """Nothing more is ever begun."""
    return replace(rollout, stopped_at=now, stopped_by=by)
