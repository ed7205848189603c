"""Immediate replies to one person: that their command was received, or why nothing was recorded."""

from datetime import UTC, tzinfo

from bot.core.requests import Change, Request, ScheduledWindow

FOREIGN = "I act only for people of the workspaces that my policy names. Nothing was recorded."
OLDER_CARD = "This button belongs to an older card, and does nothing any more."
FORM_TOO_LATE = "That took too long, and the form could not be opened. Nothing was recorded; please try again."
FORM_NOT_DRAWN = (
    "The form could not be drawn: a mistake of mine, which is in my log. Nothing was recorded. "
    "It can be said as a command as well; `/mask help` shows how."
)
LOOKING = "Looking …"
BUSY = "I am busy and could not record it. Nothing has happened; please try again."
MAYBE = (
    "The database went away while I recorded it, so it may be on record or not. If no answer comes, please try again."
)


def acknowledge(change: Change, zone: tzinfo = UTC) -> str:
    """The canonical form of the request, before the host is checked; a time as it was understood."""
    when = f" Its window is {spelled(change.window, zone)}." if change.window else ""
    return f"Asked: `{change}`.{when} I check it first."


def called_off(mask: Request) -> str:
    """The reply to an unmask of a mask that still waits for its unit to stop."""
    unit = f"{mask.target.unit} on {mask.target.host}"
    return (
        f"{unit} is not masked yet: its mask waits for the unit to stop. That mask is withdrawn. "
        "Once the unit is down it is started again, and the card of the mask says how that went."
    )


def acknowledge_repeat(change: Change) -> str:
    """The reply to an edit of the message that asked."""
    return f"This message asked for `{change}`, and that stands. Write a new message to ask for something else."


def spelled(window: ScheduledWindow, zone: tzinfo) -> str:
    """`Tuesday 1 December 23:00 to 00:00 Europe/Berlin (22:00 UTC)`."""
    opens, closes = window.opens.astimezone(zone), window.closes.astimezone(zone)
    in_utc = "" if zone is UTC else f" ({window.opens.astimezone(UTC):%H:%M} UTC)"
    return f"{opens:%A} {opens.day} {opens:%B %H:%M} to {closes:%H:%M} {zone}{in_utc}"


def switched(word: str) -> str:
    """The reply to a kill switch command, before the rights of its author are checked."""
    return f"Heard: `{word}`. It counts as soon as I have seen that you may."


def unexpected(reference: str) -> str:
    """A programming error; the reference is in our log beside the traceback."""
    return f"Something went wrong on my side. Whoever runs me finds it in my log under `{reference}`."
