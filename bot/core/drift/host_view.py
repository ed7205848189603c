"""A host as its watch saw it last, and since when it has not answered; the document of the watch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.scan import Scan


@dataclass(frozen=True, slots=True)
class HostOutage:
    """Since when a host does not answer, why, and how often it was tried."""

    since: datetime
    because: str
    tries: int = 1


@dataclass(frozen=True, slots=True)
class HostView:
    """The known masks of a host."""

    host: str
    seen_at: datetime | None = None
    scan: Scan | None = None
    ours: Mapping[str, str] = field(default_factory=dict)  # path of a mask that we made -> the id of its request
    unreachable: HostOutage | None = None
    # path of a mask that the guard made for the bot, and that is not on record as ours
    unrecorded: Mapping[str, RememberedMask] = field(default_factory=dict)
