"""Parse the head of `systemctl status`, without lines that may contain secrets."""

import re

from bot.core.systemd.output import END
from bot.core.text.sanitize import clean

_STATUS_LINES = frozenset(
    {"Loaded", "Active", "Drop-In", "TriggeredBy", "Triggers", "Trigger", "Until", "Main PID", "Tasks", "Memory", "CPU"}
)
_STATUS_LINE = re.compile(r" *(?:[^\w\s] )?(?P<key>[A-Z][A-Za-z -]*): ")


def parse_status(answer: str) -> str:
    """The head of the unit's status, which follows the end of the answer to a look; empty if the look has none."""
    return read_status(answer.partition(END)[2])


def read_status(stdout: str) -> str:
    """The head of a status: first line and known lines.

    Command lines, processes and the journal may contain secrets.
    """
    rows = clean(stdout, lines=60).split("\n")
    known = [row for row in rows[1:] if (line := _STATUS_LINE.match(row)) and line["key"] in _STATUS_LINES]
    return "\n".join(rows[:1] + known)
