"""Deadlines of scheduled (`--at`) and unscheduled requests."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.requests import Change, Request, ScheduledWindow, Stage


def is_ahead(window: ScheduledWindow | None, now: datetime) -> bool:
    """Whether the request has to wait for its window to open."""
    return window is not None and now < window.opens


def due(window: ScheduledWindow | None, now: datetime) -> datetime:
    """When an approved request is started."""
    return max(now, window.opens) if window else now


def approve_by(window: ScheduledWindow | None, now: datetime, within: timedelta) -> datetime:
    """The deadline for approvals: with a window, until it opens, so that people can approve in working hours.

    Who is asked shortly before the window opens, or while it is open, has the usual time, but never longer than the
    window lasts.
    """
    usual = now + within
    return min(window.closes, max(window.opens, usual)) if window else usual


def escalation_start(now: datetime, by: datetime, within: timedelta) -> datetime:
    """From when reminders and escalation count: not before the last stretch ahead of the window."""
    return max(now, by - within)


def good_until(window: ScheduledWindow | None, now: datetime, good_for: timedelta) -> datetime:
    """Until when an approval is good: it does not run out before the window opens."""
    return window.closes if window else now + good_for


def approve(request: Request, because: str, now: datetime, good_for: timedelta) -> Request:
    """Return the approved request with its start and with the end of its approval."""
    window = request.ask.change.scheduled_window
    act_by, due_at = good_until(window, now, good_for), due(window, now)
    return request.move(Stage.APPROVED, because=because, approved_at=now, act_by=act_by, due_at=due_at)


def repeat_change(first: Request, now: datetime) -> Change:
    """The same change with the unit's real name, without a window that is over."""
    window = first.ask.change.scheduled_window
    still = window if window and now < window.closes else None
    hold = first.hold or first.approved_hold  # its owners may have postponed the review
    change = replace(first.ask.change, unit=first.target.unit, scheduled_window=still, hold=hold, beside=())
    return replace(change, duration=None) if hold else change


def are_apart(one: ScheduledWindow | None, other: ScheduledWindow | None, now: datetime) -> bool:
    """Whether two requests for one unit do not conflict, because one waits for a window that is not open yet."""
    if one and other:
        return one.closes <= other.opens or other.closes <= one.opens
    return is_ahead(one, now) or is_ahead(other, now)
