"""What the watch over a host saw of a mask of ours after it was made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
