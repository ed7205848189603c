"""The kill switch: who stopped new masks, why and since when, until two people thaw it."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.people.identity import PersonId


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Who stopped new masks, why and since when."""

    by: PersonId
    by_name: str
    reason: str
    since: datetime
