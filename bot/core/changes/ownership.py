"""Whose a request is: who asked for it has it, until it is handed over."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.people import PersonId


@dataclass(frozen=True, slots=True)
class Handover:
    """A request, or the mask that it made, became somebody else's."""

    to: PersonId
    to_name: str
    by: PersonId
    by_name: str
    at: datetime
