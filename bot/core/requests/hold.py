"""Holds: masks that last, with a group that answers for them and a day on which that group looks at them again."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.requests.aftercare import Loss
from bot.core.requests.duration import format_moment


@dataclass(frozen=True, slots=True)
class Hold:
    """As it is asked for and approved."""

    owners: str  # a group of the policy; only its members lift it
    review: datetime
    hosts: str = ""  # a group of hosts: it is held on all of them, and on those that join it later
    part_of: str = ""  # on one more host of such a group: the request by which people approved it for all of them

    @property
    def is_whole(self) -> bool:
        """It is asked for on one host of a group, and goes from there to all of them."""
        return bool(self.hosts) and not self.part_of

    def __str__(self) -> str:
        return f"--hold {self.owners} --review {format_moment(self.review)}"


@dataclass(frozen=True, slots=True)
class HoldState:
    """What became of it since it was made. The next request that puts the mask back takes the history over."""

    off: Loss | None = None  # how the mask was taken off; None while it is there
    off_at: datetime | None = None  # when that was seen
    suspects: tuple[str, ...] = ()  # configuration management that works there
    rounds: tuple[datetime, ...] = ()  # when it was put back
    putting: str = ""  # the newest request of our own that puts it back
    tries: int = 0
    try_at: datetime | None = None  # when putting it back is tried (again)
    why: str = ""  # why it has not been put back yet
