"""What people do to a rollout that is being carried out: pause it, let it go on, stop it."""

from dataclasses import replace
from datetime import datetime

from bot.core.requests import Rollout, TargetStatus


def pause(rollout: Rollout, by: str, now: datetime) -> Rollout:
    """Nothing more is begun until somebody lets it go on. What was begun is finished."""
    return replace(rollout, paused_at=now, paused_by=by, why_paused=f"by {by}")


def waits_for_somebody(rollout: Rollout) -> bool:
    """Whether going on would change anything: it is paused, or waits for the pause between two waves."""
    return rollout.paused_at is not None or (rollout.is_between_waves and not rollout.go_on)


def go_on(rollout: Rollout) -> Rollout:
    """It goes on at once; the failures and changed plans until now stop it no more.

    Between two waves it does not wait for the rest of that pause either; later ones are kept.
    """
    failed = len(rollout.with_status(TargetStatus.FAILED))
    changed = len(rollout.with_status(TargetStatus.ASKED_AGAIN))
    freed = replace(rollout, paused_at=None, paused_by="", why_paused="")
    return replace(freed, go_on=rollout.is_between_waves, forgiven=failed, forgiven_changes=changed)


def stop(rollout: Rollout, by: str, now: datetime) -> Rollout:
    """Nothing more is ever begun."""
    return replace(rollout, stopped_at=now, stopped_by=by)
