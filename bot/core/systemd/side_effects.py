"""Side effects of stopping and starting a unit, and timer properties that its active state does not show."""

from dataclasses import dataclass
from enum import StrEnum


class ElapseBase(StrEnum):
    """What a timer's next elapse depends on."""

    NONE = ""
    CALENDAR = "calendar"  # OnCalendar=: a start does not change it
    MONOTONIC = "monotonic"  # OnBootSec= and similar: counted from an event


@dataclass(frozen=True, slots=True)
class NextElapse:
    """When a timer elapses next, by value as systemd says it; empty and zero if it has no such elapse."""

    at: str = ""  # OnCalendar=: `Wed 2027-02-03 04:05:00 UTC`
    after_boot: int = 0  # OnBootSec= and similar: microseconds of the host's monotonic clock
    fired: int = 0  # when it elapsed last since the boot, in microseconds as above
    is_random: bool = False  # RandomizedDelaySec=: drawn anew with each start and each reload


@dataclass(frozen=True, slots=True)
class SideEffects:
    """Side effects of one unit, at the moment of a look."""

    is_frozen: bool = False  # systemctl(1), `freeze`: the unit is active, and its processes are suspended
    is_skipped: bool = False  # systemd.unit(5), Condition...= or Assert...=: its last start did not run it
    stop_starts: tuple[str, ...] = ()  # OnSuccess=, OnFailure=
    conflicts: tuple[str, ...] = ()  # units that a start of this one stops
    accepts: bool = False  # a socket with Accept=yes, which starts a service for each connection
    is_persistent: bool = False  # a timer with Persistent=yes, which makes up for missed elapses at once
    turn: ElapseBase = ElapseBase.NONE
    next_turn: NextElapse = NextElapse()
