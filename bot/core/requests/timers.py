"""The timers of a request: when a request is due because of time alone.

Each timer is a small function of the stored request; the earliest one decides when the request is due. The handlers are
in `bot/workflow/engine/timers.py`, which calls each one when its timer is due; the handler must move the timer on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.requests import Cause, Request, Stage

Timer = Callable[[Request], datetime | None]


def stored_due_time(request: Request) -> datetime | None:
    """The time until which the workflow postponed the request: the next look or the next try."""
    return request.due_at


def approval_deadline(request: Request) -> datetime | None:
    """The deadline for approvals."""
    return request.approval.approve_by if request.approval else None


def end_of_approval(request: Request) -> datetime | None:
    """Until when an approved request may start: its approval or its scheduled window ends then."""
    return request.act_by


def stop_to_force(request: Request) -> datetime | None:
    """A slow stop that the request would end by force: it may be over already, so that is checked every time."""
    return request.asked_at if request.ask.forces else None


def mask_expiry(request: Request) -> datetime | None:
    """The expiry of a mask, or the next try of an overdue undo; also for a mask whose hold was lifted."""
    return request.aftercare.try_at or request.aftercare.expires_at if request.can_be_undone else None


def next_reapply(request: Request) -> datetime | None:
    """When a removed mask of a hold is reapplied or tried again."""
    return request.hold_state.try_at if request.hold and request.hold_state.loss else None


def next_join(request: Request) -> datetime | None:
    """When a hold for many hosts is looked for hosts that join it, and is tried where it is not in force yet."""
    rollout = request.rollout
    return rollout.joins_at if rollout and request.hold and not rollout.stopped_at else None


def next_owner_reminder(request: Request) -> datetime | None:
    """When the owner is reminded: the mask expires soon, has not been undone, or has no expiry."""
    return request.aftercare.remind_at if request.can_be_undone else None


def next_aftercheck(request: Request) -> datetime | None:
    """When the host is checked for consequences; never for a mask that was undone since."""
    return None if request.undone_by else request.aftercare.look_at


def next_approver_reminder(request: Request) -> datetime | None:
    """When the missing approvers are reminded next."""
    return request.escalation.next_reminder if request.escalation else None


def next_escalation_step(request: Request) -> datetime | None:
    """When the next escalation step is due."""
    return request.escalation.next_step if request.escalation else None


def next_countdown(request: Request) -> datetime | None:
    """When the countdown on the card is updated next."""
    if request.escalation is None or request.approval is None:
        return None
    return request.escalation.next_drawing(request.approval.approve_by)


def page_to_resolve(request: Request) -> datetime | None:
    """An open alert whose cause is gone: it is resolved at once."""
    return request.paging.paged_at if request.paging and not is_page_still_needed(request) else None


def next_calendar_change(request: Request) -> datetime | None:
    """When a freeze or maintenance window begins or ends, which may change the number of approvals."""
    return request.approval.calendar_changes_at if request.approval else None


def pending_followup(request: Request) -> datetime | None:
    """A recorded followup: due at once, or as soon as the request does not run any more."""
    if request.stage is Stage.ASKED or (request.stage is Stage.RUNNING and request.rollout is None):
        return None
    return min((followup.at for followup in request.open_followups), default=None)


def targets_to_close(request: Request) -> datetime | None:
    """A rollout that is over, while requests of its targets may still wait for their turn."""
    is_open = request.rollout is not None and not request.rollout.is_closed
    return request.finished_at or request.asked_at if is_open and request.stage.is_final else None


def next_sign_off_reminder(request: Request) -> datetime | None:
    """When those who could sign off a break-glass change are reminded next."""
    return (
        request.break_glass.remind_at
        if request.break_glass and request.owes_sign_off and request.stage.is_final
        else None
    )


ALWAYS: tuple[Timer, ...] = (page_to_resolve, pending_followup, next_sign_off_reminder, targets_to_close)
TIMERS: Mapping[Stage, tuple[Timer, ...]] = {
    Stage.ASKED: (stored_due_time,),
    Stage.WAITING: (
        approval_deadline,
        next_calendar_change,
        next_approver_reminder,
        next_escalation_step,
        next_countdown,
    ),
    Stage.APPROVED: (stored_due_time, end_of_approval),
    Stage.RUNNING: (stored_due_time,),
    Stage.DONE: (mask_expiry, next_reapply, next_join, next_owner_reminder, next_aftercheck),
}


def put_off(request: Request, until: datetime, now: datetime) -> datetime:
    """When a request is due that has to wait until then: no later than its approval ends."""
    ends_at = end_of_approval(request) if request.stage is Stage.APPROVED else None
    return min(until, ends_at) if ends_at and ends_at > now else until


def first_due(request: Request) -> datetime:
    """When a new request is taken up: at the time that it was recorded for, or at once."""
    return request.due_at or request.asked_at


def next_due(request: Request) -> datetime | None:
    """When the request is due; None: when something happens."""
    times = (timer(request) for timer in (*ALWAYS, *TIMERS.get(request.stage, ())))
    return min((at for at in times if at is not None), default=None)


def is_page_still_needed(request: Request) -> bool:
    """Whether the cause of the alert still exists."""
    if request.paging is None:
        return False
    if request.paging.cause is Cause.UNDECIDED:
        return request.stage is Stage.WAITING
    if request.paging.cause is Cause.HOLD_REMOVED:
        return request.hold is not None and request.hold_state.loss is not None
    return request.stage is Stage.RUNNING and request.target.unknown_since is not None
