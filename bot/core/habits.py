"""Side effects of a stop and a start of a unit, and properties that its active state does not show."""

from dataclasses import dataclass
from enum import StrEnum


class Turn(StrEnum):
    """By what a timer knows its next turn."""

    NONE = ""
    CALENDAR = "calendar"  # OnCalendar=: a start does not change when it comes
    MONOTONIC = "monotonic"  # OnBootSec= and its like: counted from something that happened


@dataclass(frozen=True, slots=True)
class Habits:
    """Of one unit, at the moment of a look."""

    is_frozen: bool = False  # systemctl(1), `freeze`: it is active, and runs nothing
    stop_starts: tuple[str, ...] = ()  # OnSuccess=, OnFailure=
    conflicts: tuple[str, ...] = ()  # what a start of it stops
    accepts: bool = False  # a socket with Accept=yes, which starts a service for each connection
    is_persistent: bool = False  # a timer with Persistent=yes, which makes up for missed turns at once
    turn: Turn = Turn.NONE
