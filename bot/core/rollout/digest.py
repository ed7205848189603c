"""The digest of a rollout: people approve every plan, the order and the waves together."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime

from bot.core.requests import Change, Request, Rollout
from bot.core.requests.plan import under_approvals_of


def rollout_digest(change: Change, rollout: Rollout) -> str:
    """SHA-256 of the plans of all targets and of how the rollout goes on, in hexadecimal."""
    plans = [[one.host, str(one.unit), one.digest, one.wave] for one in rollout.planned]
    whole = {"the change": str(change), "the targets": plans, "the waves": asdict(rollout.settings)}
    text = json.dumps(whole, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def with_earlier_approvals(whole: Request, first: Request, now: datetime) -> Request:
    """A retry of failed targets runs under the approvals of the first, while they are good and no plan has changed."""
    if first.act_by is None or now > first.act_by or first.rollout is None or whole.rollout is None:
        return whole
    approved = {(one.host, one.unit): one.digest for one in first.rollout.planned}
    if any(approved.get((one.host, one.unit)) != one.digest for one in whole.rollout.planned):
        return whole
    return under_approvals_of(first, whole)
