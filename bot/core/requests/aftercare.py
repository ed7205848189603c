"""What time brings to a change that is done: the end of a mask, a word to its owner, a look at what came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import PersonId


@dataclass(frozen=True, slots=True)
class Extension:
    """A later end of a mask, or none any more, or a later review of a hold: what another request did to it."""

    request_id: str
    by: PersonId
    by_name: str
    at: datetime
    until: datetime | None  # None: it does not end by itself any more; of a hold when it is looked at again
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Aftercare:
    """Kept in the request that made the change. Every `..._at` is one of its clocks."""

    ends_at: datetime | None = None  # when the mask ends by itself
    approved_until: datetime | None = None  # the latest end that the policy's approvals cover
    extensions: tuple[Extension, ...] = ()

    undo_request: str = ""  # the newest request of our own that brings back what was there before the mask
    tries: int = 0
    try_at: datetime | None = None  # when bringing it back is tried again
    overdue: str = ""  # why it has not been brought back yet

    remind_at: datetime | None = None  # when its owner hears of it: that it ends soon, or that it has no end
    reminders: int = 0

    look_at: datetime | None = None  # when the host is looked at again, to see what came of the change
    looks: int = 0
    found: tuple[str, ...] = ()  # what these looks have said already

    def is_extended_by(self, request_id: str) -> bool:
        """Whether that request has done its work here already."""
        return any(one.request_id == request_id for one in self.extensions)


class Loss(StrEnum):
    """How a mask of ours was lost without us."""

    REMOVED = "removed"  # its link is not there any more
    REPLACED = "replaced"  # another one stands in its place: the unit is masked, but not by us
    REBOOTED = "rebooted"  # it was one until the next reboot, and that has come
    ENDED = "ended"  # it was one in a user's runtime directory, and their manager has ended with all that was in it


@dataclass(frozen=True, slots=True)
class Watched:
    """Each of these is told once."""

    lost: Loss | None = None
    lost_at: datetime | None = None  # when it was seen; it happened some time before
    suspects: tuple[str, ...] = ()  # configuration management that works there
    failed: tuple[str, ...] = ()  # what depended on the unit and has failed since
