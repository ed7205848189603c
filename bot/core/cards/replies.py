"""Immediate replies to one person: that their command was received, or why nothing was recorded."""

from datetime import UTC, tzinfo

from bot.core.requests import Change, Request, ScheduledWindow, Selection
from bot.core.requests.ask import in_words

FOREIGN = "maskbot acts only for people of the workspaces in its policy. Nothing was recorded."
OLDER_CARD = "This button is on an old card and no longer works."
NOT_OURS = (
    "This button or form was not made for you by the bot, or it is too old. Nothing was recorded. "
    "Please use the card of the request, or type the command again."
)
EDITED = (
    "Somebody edited this message: it does not show what the bot posted. Nothing was done, and the operators are told. "
    "The bot's Home tab shows the request as it is on record. Use the button there, or type a command."
)
FORM_TOO_LATE = "That took too long, so the form could not open. Nothing was recorded. Please try again."
FORM_NOT_DRAWN = (
    "The bot failed to show the form; the error is in its log. Nothing was recorded. "
    "You can type a command instead; `/mask help` shows how."
)
LOOKING = "Checking …"
BUSY = (
    "The bot could not record this, because its database is busy or cannot be written. Nothing has happened. "
    "Please try again; if it keeps happening, tell the bot's operators."
)
MAYBE = (
    "The database failed while this was being recorded, so it may or may not be on record. "
    "If no answer comes, try again."
)


def acknowledge(change: Change, zone: tzinfo = UTC, *, selection: Selection | None = None) -> str:
    """The canonical form of the request, before the hosts are checked; a time as it was understood."""
    when = f" Its window is {window_in_words(change.scheduled_window, zone)}." if change.scheduled_window else ""
    checked = "each host" if selection else "the host"
    return f"Got it: `{in_words(change, selection)}`.{when} Checking {checked}."


def withdrawn_mask(mask: Request) -> str:
    """The reply to an unmask of a mask that still waits for its unit to stop."""
    unit = f"{mask.target.unit} on {mask.target.host}"
    return (
        f"{unit} is not masked yet: its mask waits for the unit to stop. That mask is now withdrawn. "
        "Once the unit is down, it is started again. The card of the mask then shows the result."
    )


def acknowledge_repeat(change: Change, selection: Selection | None = None) -> str:
    """The reply to an edit of the message that asked."""
    asked = in_words(change, selection)
    return f"This message asked for `{asked}`, and that still counts. Send a new message to ask for something else."


def window_in_words(window: ScheduledWindow, zone: tzinfo) -> str:
    """`Tuesday 1 December 23:00 to 00:00 Europe/Berlin (22:00 UTC)`."""
    opens, closes = window.opens.astimezone(zone), window.closes.astimezone(zone)
    in_utc = "" if zone is UTC else f" ({window.opens.astimezone(UTC):%H:%M} UTC)"
    return f"{opens:%A} {opens.day} {opens:%B %H:%M} to {closes:%H:%M} {zone}{in_utc}"


def acknowledge_switch(word: str) -> str:
    """The reply to a kill switch command, before the rights of its author are checked."""
    return f"Got it: `{word}`. Checking that you may."


def internal_error(reference: str) -> str:
    """A programming error; the reference is in our log beside the traceback."""
    return f"Something went wrong in the bot. Its operator finds the error in the log under `{reference}`."
