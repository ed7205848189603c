"""What a finished change still needs: its expiry, reminders to its owner, aftercheck findings, and drift."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import PersonId


class NewKind(StrEnum):
    """How a request changes the kind of one of our masks; nothing is done on its host."""

    ENDING = "ending"  # it had no expiry, and gets one
    HELD = "held"  # it becomes a hold
    LOOKED_AT = "looked_at"  # it has no expiry and gets none; its owner is reminded again on a later day


@dataclass(frozen=True, slots=True)
class Extension:
    """A mask that another request extended, kept or released from its expiry, or a hold with a later review date."""

    request_id: str
    by: PersonId
    by_name: str
    at: datetime
    until: datetime | None  # None: the mask has no expiry any more; for a hold, the new review date
    reason: str = ""
    new_kind: NewKind | None = None
    remind_at: datetime | None = None  # of a mask without expiry that somebody looked at: when its owner is reminded


@dataclass(frozen=True, slots=True)
class Aftercare:
    """Stored in the request that made the change. Every `..._at` field is a timer of that request."""

    expires_at: datetime | None = None  # when the mask expires
    no_login: str = ""  # why the bot could not log in anew after the mask, which therefore expires at once
    approved_until: datetime | None = None  # the latest expiry that approvers agreed to under the policy
    extensions: tuple[Extension, ...] = ()

    undo_request: str = ""  # the newest request of the bot itself that undoes this mask
    tries: int = 0
    try_at: datetime | None = None  # when the undo is tried again
    overdue: str = ""  # why the mask has not been undone yet

    remind_at: datetime | None = None  # when the owner is reminded that the mask expires soon, or that it has no expiry
    reminders: int = 0

    look_at: datetime | None = None  # when the host is checked again for consequences of the change
    looks: int = 0
    found: tuple[str, ...] = ()  # consequences that earlier afterchecks have reported

    def is_extended_by(self, request_id: str) -> bool:
        """Whether that request has already extended this one."""
        return any(one.request_id == request_id for one in self.extensions)


class Loss(StrEnum):
    """How one of our masks disappeared, though nothing on record here did it."""

    REMOVED = "removed"  # the link is gone
    REPLACED = "replaced"  # another link or file took its place: the unit is masked, but not by us
    REBOOTED = "rebooted"  # a runtime mask, and the host has rebooted
    UNDONE = "undone"  # our own guard removed it, and that is not on record: the database is an older backup
    ENDED = "ended"  # a runtime mask of a user unit, and that user's manager has ended


@dataclass(frozen=True, slots=True)
class SeenDrift:
    """Drift seen on the host of a mask; each kind is reported once."""

    lost: Loss | None = None
    lost_at: datetime | None = None  # when the drift was seen; it happened some time earlier
    suspects: tuple[str, ...] = ()  # configuration management that runs on the host
    failed: tuple[str, ...] = ()  # units that depend on this one and have failed since
