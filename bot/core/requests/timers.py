"""The clocks of a request: when time alone gives somebody something to do about it.

Each clock is a small function of the stored request, and the earliest of them is when the request is due. What is done
once its time has come stands in `bot/workflow/engine/timers.py`, and whatever does it must move its clock on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.requests import Cause, Request, Stage

Clock = Callable[[Request], datetime | None]


def stored_due_time(request: Request) -> datetime | None:
    """What the workflow put off until then: the next look, the next try."""
    return request.due_at


def end_of_decision(request: Request) -> datetime | None:
    """The end of the time to decide."""
    return request.approval.decide_by if request.approval else None


def end_of_mask(request: Request) -> datetime | None:
    """The end of a mask, or the next try to bring back what is overdue; also of one whose hold was lifted."""
    return request.aftercare.try_at or request.aftercare.ends_at if request.can_be_undone else None


def next_reapply(request: Request) -> datetime | None:
    """The next try to put back what was taken off."""
    return request.hold_state.try_at if request.hold and request.hold_state.off else None


def next_owner_reminder(request: Request) -> datetime | None:
    """A word to the owner of a mask: that it ends soon, that it has not ended, that it has no end."""
    return request.aftercare.remind_at if request.can_be_undone else None


def next_aftercheck(request: Request) -> datetime | None:
    """A look at what came of the change; of a mask that was taken back since, nothing comes any more."""
    return None if request.undone_by else request.aftercare.look_at


def next_approver_reminder(request: Request) -> datetime | None:
    """The next reminder for those who can still decide."""
    return request.escalation.next_reminder if request.escalation else None


def next_escalation_step(request: Request) -> datetime | None:
    """The next step of the escalation ladder."""
    return request.escalation.next_step if request.escalation else None


def next_countdown(request: Request) -> datetime | None:
    """When the card has to say anew how much time is left."""
    if request.escalation is None or request.approval is None:
        return None
    return request.escalation.next_drawing(request.approval.decide_by)


def page_to_resolve(request: Request) -> datetime | None:
    """Who was woken up is told at once that there is nothing left to do."""
    return request.paging.paged_at if request.paging and not is_page_still_needed(request) else None


def next_calendar_change(request: Request) -> datetime | None:
    """The beginning or the end of a freeze or a window, which may change how many have to approve."""
    return request.approval.turns_at if request.approval else None


def pending_followup(request: Request) -> datetime | None:
    """A followup that was recorded: it is heard at once, or once it does not run any more."""
    if request.stage in (Stage.ASKED, Stage.RUNNING):
        return None
    return min((followup.at for followup in request.open_followups), default=None)


def next_review_reminder(request: Request) -> datetime | None:
    """The next word to those who could sign the review of what somebody did alone."""
    return (
        request.break_glass.remind_at
        if request.break_glass and request.owes_review and request.stage.is_final
        else None
    )


ALWAYS: tuple[Clock, ...] = (page_to_resolve, pending_followup, next_review_reminder)
CLOCKS: Mapping[Stage, tuple[Clock, ...]] = {
    Stage.ASKED: (stored_due_time,),
    Stage.WAITING: (
        end_of_decision,
        next_calendar_change,
        next_approver_reminder,
        next_escalation_step,
        next_countdown,
    ),
    Stage.APPROVED: (stored_due_time,),
    Stage.RUNNING: (stored_due_time,),
    Stage.DONE: (end_of_mask, next_reapply, next_owner_reminder, next_aftercheck),
}


def first_due(request: Request) -> datetime:
    """When a new request is taken up: at the time that it was recorded for, or at once."""
    return request.due_at or request.asked_at


def next_due(request: Request) -> datetime | None:
    """When a request that is saved has to be taken up again; None: when something happens."""
    times = (clock(request) for clock in (*ALWAYS, *CLOCKS.get(request.stage, ())))
    return min((at for at in times if at is not None), default=None)


def is_page_still_needed(request: Request) -> bool:
    """Whether what a request pages about is still so."""
    if request.paging is None:
        return False
    if request.paging.cause is Cause.UNDECIDED:
        return request.stage is Stage.WAITING
    if request.paging.cause is Cause.HOLD_REMOVED:
        return request.hold is not None and request.hold_state.off is not None
    return request.stage is Stage.RUNNING and request.target.unknown_since is not None
