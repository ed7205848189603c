"""Side effects of a stop and a start of a unit, and properties that its active state does not show."""

from dataclasses import dataclass
from enum import StrEnum


class Turn(StrEnum):
    """By what a timer knows its next turn."""

    NONE = ""
    CALENDAR = "calendar"  # OnCalendar=: a start does not change when it comes
    MONOTONIC = "monotonic"  # OnBootSec= and its like: counted from something that happened


@dataclass(frozen=True, slots=True)
class NextTurn:
    """When a timer fires next, by value as systemd says it; empty and zero where it has no such turn."""

    at: str = ""  # OnCalendar=: `Wed 2027-02-03 04:05:00 UTC`
    after_boot: int = 0  # OnBootSec= and its like: microseconds of the host's monotonic clock
    is_random: bool = False  # RandomizedDelaySec=: drawn anew with each start and each reload


@dataclass(frozen=True, slots=True)
class Habits:
    """Of one unit, at the moment of a look."""

    is_frozen: bool = False  # systemctl(1), `freeze`: it is active, and runs nothing
    stop_starts: tuple[str, ...] = ()  # OnSuccess=, OnFailure=
    conflicts: tuple[str, ...] = ()  # what a start of it stops
    accepts: bool = False  # a socket with Accept=yes, which starts a service for each connection
    is_persistent: bool = False  # a timer with Persistent=yes, which makes up for missed turns at once
    turn: Turn = Turn.NONE
    next_turn: NextTurn = NextTurn()
