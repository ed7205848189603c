"""The approvals that a request requires, from the first decision and updated by later ones."""

from dataclasses import replace
from datetime import datetime

from bot.core.policy.model import NeedsApproval
from bot.core.requests import Approval, Request, ScheduledWindow
from bot.core.requests.deadlines import approve_by


def approval_required(
    answer: NeedsApproval, *, policy: str, now: datetime, window: ScheduledWindow | None = None
) -> Approval:
    """The approvals that the first decision asks for; `policy` is the digest of the policy that made it."""
    return Approval(
        rule=answer.rule,
        need=answer.need,
        groups=answer.groups,
        approve_by=approve_by(window, now, answer.approve_within),
        approve_within=answer.approve_within,
        good_for=answer.good_for,
        guarded=answer.guarded,
        distinct=answer.distinct,
        step_up=answer.step_up,
        on_call=answer.on_call,
        raised=answer.raised,
        calendar_changes_at=answer.calendar_changes_at,
        policy=policy,
    )


def updated_approval(
    approval: Approval, answer: NeedsApproval, *, policy: str, window: ScheduledWindow | None = None
) -> Approval:
    """The approvals after a later decision. Another policy than the first may only shorten the deadlines.

    A request that waits for its scheduled window can be approved until the window opens, whatever a policy says.
    """
    now = replace(
        approval,
        rule=answer.rule,
        need=answer.need,
        groups=answer.groups,
        guarded=answer.guarded,
        distinct=answer.distinct,
        step_up=answer.step_up,
        on_call=answer.on_call,
        raised=answer.raised,
        calendar_changes_at=answer.calendar_changes_at,
        policy=policy,
    )
    if approval.policy == policy:
        return now
    approve_within = approval.approve_within if window else min(approval.approve_within, answer.approve_within)
    return replace(
        now,
        approve_by=approval.approve_by - approval.approve_within + approve_within,
        approve_within=approve_within,
        good_for=min(approval.good_for, answer.good_for),
        guarded=answer.guarded or approval.guarded,
    )


def with_original_requirements(request: Request, *, policy: str) -> Request:
    """The request for another policy to judge: of the original and the new requirements, the stricter one counts."""
    approval = request.approval
    if approval is None or approval.policy == policy:
        return request
    before = replace(
        approval,
        at_least=max(approval.at_least, approval.need),
        was_distinct=approval.was_distinct or approval.distinct,
        was_step_up=approval.was_step_up or approval.step_up,
    )
    return replace(request, approval=before)


def is_outdated(request: Request, *, policy: str, now: datetime) -> bool:
    """Whether the request was last judged by another policy, or before a freeze or window began or ended."""
    approval = request.approval
    if approval is None:
        return False
    return approval.policy != policy or (
        approval.calendar_changes_at is not None and approval.calendar_changes_at <= now
    )
