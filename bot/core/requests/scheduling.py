"""Times from times, for what may be carried out in its window only, and for what may run as soon as people agree."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.requests import Change, Request, ScheduledWindow, Stage


@dataclass(frozen=True)
class Scheduling:
    """What the policy says of windows that somebody asks for."""

    window: timedelta = timedelta(hours=1)  # if nobody says how long
    longest: timedelta = timedelta(hours=12)
    ahead: timedelta = timedelta(days=30)  # how far ahead one may open


def window_of(request: Request) -> ScheduledWindow | None:
    """The window of a request that has one."""
    return request.ask.change.window


def is_ahead(window: ScheduledWindow | None, now: datetime) -> bool:
    """Whether it has to wait for its window to open."""
    return window is not None and now < window.opens


def due(window: ScheduledWindow | None, now: datetime) -> datetime:
    """When an approved request is taken up."""
    return max(now, window.opens) if window else now


def decide_by(window: ScheduledWindow | None, now: datetime, within: timedelta) -> datetime:
    """The end of the time to decide: with a window until it opens, people decide in their own daylight.

    Who is asked shortly before, or while it is open, has as long as ever; but never longer than the window lasts.
    """
    usual = now + within
    return min(window.closes, max(window.opens, usual)) if window else usual


def called_from(now: datetime, by: datetime, within: timedelta) -> datetime:
    """From when reminders and the ladder count: nobody is called for what has days, until its last stretch begins."""
    return max(now, by - within)


def good_until(window: ScheduledWindow | None, now: datetime, good_for: timedelta) -> datetime:
    """How long an approval is good: it does not run out before the window opens."""
    return window.closes if window else now + good_for


def approve(request: Request, because: str, now: datetime, good_for: timedelta) -> Request:
    """The request once it may run: from when, and how long that is good."""
    window = window_of(request)
    act_by, due_at = good_until(window, now, good_for), due(window, now)
    return request.move(Stage.APPROVED, because=because, approved_at=now, act_by=act_by, due_at=due_at)


def repeat_change(first: Request, now: datetime) -> Change:
    """The same change of the unit by its real name; a window that is over is left out."""
    window = window_of(first)
    still = window if window and now < window.closes else None
    hold = first.hold or first.ask.change.hold  # its owners may have put its review off
    return replace(first.ask.change, unit=first.target.unit, window=still, hold=hold)


def are_apart(one: ScheduledWindow | None, other: ScheduledWindow | None, now: datetime) -> bool:
    """Whether two requests for one unit stay out of each other's way: one waits for a window that is not open yet."""
    if one and other:
        return one.closes <= other.opens or other.closes <= one.opens
    return is_ahead(one, now) or is_ahead(other, now)
