"""What is asked of the approvers: as the policy answers a request, and as a later answer changes it."""

from dataclasses import replace
from datetime import datetime

from bot.core.policy.model import NeedsApproval
from bot.core.requests import Approval, Request, ScheduledWindow
from bot.core.requests.scheduling import decide_by


def approval_required(
    answer: NeedsApproval, *, policy: str, now: datetime, window: ScheduledWindow | None = None
) -> Approval:
    """What the first answer asks for; `policy` is the digest of the one that gave it."""
    return Approval(
        rule=answer.rule,
        need=answer.need,
        groups=answer.groups,
        decide_by=decide_by(window, now, answer.decide_within),
        decide_within=answer.decide_within,
        good_for=answer.good_for,
        guarded=answer.guarded,
        distinct=answer.distinct,
        on_call=answer.on_call,
        raised=answer.raised,
        turns_at=answer.turns_at,
        policy=policy,
    )


def updated_approval(
    approval: Approval, answer: NeedsApproval, *, policy: str, window: ScheduledWindow | None = None
) -> Approval:
    """What a later answer makes of it. Another policy than the one that asked first may only shorten the clocks.

    What waits for its window is decided until that opens, whatever a policy says of other requests.
    """
    now = replace(
        approval,
        rule=answer.rule,
        need=answer.need,
        groups=answer.groups,
        guarded=answer.guarded,
        distinct=answer.distinct,
        on_call=answer.on_call,
        raised=answer.raised,
        turns_at=answer.turns_at,
        policy=policy,
    )
    if approval.policy == policy:
        return now
    decide_within = approval.decide_within if window else min(approval.decide_within, answer.decide_within)
    return replace(
        now,
        decide_by=approval.decide_by - approval.decide_within + decide_within,
        decide_within=decide_within,
        good_for=min(approval.good_for, answer.good_for),
        guarded=answer.guarded or approval.guarded,
    )


def with_original_requirements(request: Request, *, policy: str) -> Request:
    """The request as another policy has to judge it: of what was asked and what it asks itself, the stricter wins."""
    approval = request.approval
    if approval is None or approval.policy == policy:
        return request
    at_least, was_distinct = max(approval.at_least, approval.need), approval.was_distinct or approval.distinct
    return replace(request, approval=replace(approval, at_least=at_least, was_distinct=was_distinct))


def is_outdated(request: Request, *, policy: str, now: datetime) -> bool:
    """Whether it was last judged by another policy than this one, or before the calendar turned."""
    approval = request.approval
    if approval is None:
        return False
    return approval.policy != policy or (approval.turns_at is not None and approval.turns_at <= now)
