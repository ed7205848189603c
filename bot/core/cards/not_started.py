"""Why an approved request waits, ends without running, or finds nothing to do."""

from bot.core.requests import Request

UNDONE_BEFORE = "The mask was undone before this could start."
OUR_MISTAKE = "Something went wrong in the bot. Its operator finds the error in the log."


def unused(request: Request) -> str:
    """The approval or the scheduled window ended before the request could start."""
    window = request.ask.change.scheduled_window
    if window is None:
        return "The approval timed out before the change could start."
    why = f" {request.target.note}" if request.target.note else ""
    return f"Its window closed at {window.closes:%Y-%m-%d %H:%M} UTC, before the change could start.{why}"


def waits_for(other: Request) -> str:
    """Another change runs on the host, and since when."""
    return f"`{other.ask.change}` has been running there since {other.begun_at or other.asked_at:%H:%M} UTC."


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
