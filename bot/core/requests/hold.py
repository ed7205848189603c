"""Holds: masks that last, are reapplied when they drift, and have an owning group and a review date."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.requests.aftercare import Loss
from bot.core.requests.duration import format_moment


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it is asked for and approved."""

    owners: str  # a group of the policy; only its members lift the hold
    review: datetime

    def __str__(self) -> str:
        return f"--hold {self.owners} --review {format_moment(self.review)}"


@dataclass(frozen=True, slots=True)
class HoldState:
    """What happened to a hold since it was made. The next request that reapplies the mask takes this history over."""

    loss: Loss | None = None  # how the mask was removed; None while it is in place
    loss_seen_at: datetime | None = None  # when the removal was seen
    suspects: tuple[str, ...] = ()  # configuration management that runs on the host
    reapplied_at: tuple[datetime, ...] = ()  # when the mask was reapplied
    reapply_request: str = ""  # the newest request of the bot itself that reapplies it
    tries: int = 0
    try_at: datetime | None = None  # when it is reapplied, or tried again
    why: str = ""  # why it has not been reapplied yet
    made_later: Hold | None = None  # a mask that people made a hold after it was made
