"""Why an approved request waits, ends without running, or finds nothing to do."""

from datetime import datetime, timedelta

from bot.core.requests import Request
from bot.core.time.human_time import humanize

UNDONE_BEFORE = "The mask was undone before this could start."
CHANGED_BEFORE = "The mask's expiry changed, or it became a hold, before this could start. See its card."
_MINUTE = timedelta(minutes=1)  # the card is not edited more often for it
OUR_MISTAKE = "Something went wrong in the bot. Its operator finds the error in the log."


def unused(request: Request) -> str:
    """The approval or the scheduled window ended before the request could start."""
    window = request.ask.change.scheduled_window
    why = f" {request.target.note}" if request.target.note else ""
    if window is None:
        return f"The approval timed out before the change could start.{why}"
    return f"Its window closed at {window.closes:%Y-%m-%d %H:%M} UTC, before the change could start.{why}"


def waits_for(other: Request, now: datetime) -> str:
    """Another change runs on the host: whose it is, since when, and for how long in whole minutes."""
    whose = "The bot's own" if other.ask.by_itself else f"{other.owner_name or other.owner.user}'s"
    since = other.begun_at or other.asked_at
    age = (now - since) // _MINUTE * _MINUTE
    so_long = f" ({humanize(age)})" if age else ""
    return f"{whose} `{other.ask.change}` has been running there since {since:%H:%M} UTC{so_long}."


def mask_is_gone(mask: Request) -> str:
    """The mask that an undo was to remove was removed by somebody else."""
    took = "somebody else, a reboot or the last logout" if mask.ask.change.user else "somebody else or a reboot"
    return f"The mask is gone: {took} removed it."


def hold_pending(request: Request, why: str) -> str:
    """The host of a hold does not answer."""
    return f"{why} The hold stays pending until {request.target.host} answers or the hold's review day comes."


def nothing_changed(why: str) -> str:
    """A request ended before anything was sent to its host."""
    return f"{why} Nothing was changed."
