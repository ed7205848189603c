"""What a person is told at once and alone: that they were heard, or why nothing was recorded."""

from bot.core.changes import Change

FOREIGN = "I act only for people of the workspaces that my policy names. Nothing was recorded."
OLDER_CARD = "This button belongs to an older card, and does nothing any more."
FORM_TOO_LATE = "That took too long, and the form could not be opened. Nothing was recorded; please try again."
LOOKING = "Looking …"
BUSY = "I am busy and could not record it. Nothing has happened; please try again."


def heard(change: Change) -> str:
    """The canonical form of what was asked, before anybody has looked at the host."""
    return f"Asked: `{change}`. I look at {change.host} first."


def switched(word: str) -> str:
    """What was heard of the kill switch, before anybody has looked whether its caller may."""
    return f"Heard: `{word}`. It counts as soon as I have seen that you may."


def unexpected(reference: str) -> str:
    """A mistake of ours; the reference stands in our log beside what happened."""
    return f"Something went wrong on my side. Whoever runs me finds it in my log under `{reference}`."
