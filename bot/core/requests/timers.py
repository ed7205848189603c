"""The clocks of a request: when time alone gives somebody something to do about it.

Each clock is a small function of the stored request, and the earliest of them is when the request is due. What is done
once its time has come stands in `bot/workflow/engine/timers.py`, and whatever does it must move its clock on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.core.requests import Cause, Request, Stage

Clock = Callable[[Request], datetime | None]


def as_stored(request: Request) -> datetime | None:
    """What the workflow put off until then: the next look, the next try."""
    return request.due_at


def deciding_ends(request: Request) -> datetime | None:
    """The end of the time to decide."""
    return request.approval.decide_by if request.approval else None


def mask_ends(request: Request) -> datetime | None:
    """The end of a mask, or the next try to bring back what is overdue; also of one whose hold was lifted."""
    return request.standing.try_at or request.standing.ends_at if request.can_be_undone else None


def hold_is_put_back(request: Request) -> datetime | None:
    """The next try to put back what was taken off."""
    return request.held.try_at if request.hold and request.held.off else None


def owner_is_told(request: Request) -> datetime | None:
    """A word to the owner of a mask: that it ends soon, that it has not ended, that it has no end."""
    return request.standing.tell_at if request.can_be_undone else None


def host_is_looked_at_again(request: Request) -> datetime | None:
    """A look at what came of the change; of a mask that was taken back since, nothing comes any more."""
    return None if request.undone_by else request.standing.look_at


def people_are_reminded(request: Request) -> datetime | None:
    """The next reminder for those who can still decide."""
    return request.nudges.next_reminder if request.nudges else None


def ladder_goes_on(request: Request) -> datetime | None:
    """The next step of the escalation ladder."""
    return request.nudges.next_rung if request.nudges else None


def countdown_grows_old(request: Request) -> datetime | None:
    """When the card has to say anew how much time is left."""
    if request.nudges is None or request.approval is None:
        return None
    return request.nudges.next_drawing(request.approval.decide_by)


def page_is_over(request: Request) -> datetime | None:
    """Who was woken up is told at once that there is nothing left to do."""
    return request.paging.paged_at if request.paging and not holds(request) else None


def calendar_turns(request: Request) -> datetime | None:
    """The beginning or the end of a freeze or a window, which may change how many have to approve."""
    return request.approval.turns_at if request.approval else None


def somebody_wants_something(request: Request) -> datetime | None:
    """A wish that was recorded: it is heard at once, or once it does not run any more."""
    if request.stage in (Stage.ASKED, Stage.RUNNING):
        return None
    return min((wish.at for wish in request.open_wishes), default=None)


def review_is_owed(request: Request) -> datetime | None:
    """The next word to those who could sign the review of what somebody did alone."""
    return request.glass.remind_at if request.glass and request.owes_review and request.stage.is_final else None


ALWAYS: tuple[Clock, ...] = (page_is_over, somebody_wants_something, review_is_owed)
CLOCKS: Mapping[Stage, tuple[Clock, ...]] = {
    Stage.ASKED: (as_stored,),
    Stage.WAITING: (deciding_ends, calendar_turns, people_are_reminded, ladder_goes_on, countdown_grows_old),
    Stage.APPROVED: (as_stored,),
    Stage.RUNNING: (as_stored,),
    Stage.DONE: (mask_ends, hold_is_put_back, owner_is_told, host_is_looked_at_again),
}


def next_due(request: Request) -> datetime | None:
    """When it has to be taken up again; None: when something happens."""
    times = (clock(request) for clock in (*ALWAYS, *CLOCKS.get(request.stage, ())))
    return min((at for at in times if at is not None), default=None)


def holds(request: Request) -> bool:
    """Whether what a request pages about is still so."""
    if request.paging is None:
        return False
    if request.paging.cause is Cause.UNDECIDED:
        return request.stage is Stage.WAITING
    if request.paging.cause is Cause.TAKEN_OFF:
        return request.hold is not None and request.held.off is not None
    return request.stage is Stage.RUNNING and request.target.unknown_since is not None
