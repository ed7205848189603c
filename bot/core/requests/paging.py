"""Whether somebody is paged about a request: woken up by a pager, and told when it is over."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why."""

    UNDECIDED = "undecided"  # nobody approves or denies
    UNKNOWN = "unknown"  # a command was sent, and nobody knows what it did
    HOLD_REMOVED = "hold_removed"  # a hold is taken off again and again


@dataclass(frozen=True, slots=True)
class Paging:
    """Somebody is, or will be unless it is over before."""

    cause: Cause
    due_at: datetime | None = None
    paged_at: datetime | None = None
