"""Alerts about a request: whether somebody is paged, and whether the alert has to be resolved."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why somebody is paged."""

    UNDECIDED = "undecided"  # nobody approves or denies
    UNKNOWN = "unknown"  # a command was sent and its effect is not known
    HOLD_REMOVED = "hold_removed"  # a hold is removed again and again


@dataclass(frozen=True, slots=True)
class Paging:
    """An alert that is out, or goes out unless its cause is gone before."""

    cause: Cause
    due_at: datetime | None = None
    paged_at: datetime | None = None
