"""New masks are stopped: by whom, why and since when, until two people let them go on."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.people.identity import PersonId


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Somebody stopped new masks."""

    by: PersonId
    by_name: str
    reason: str
    since: datetime
