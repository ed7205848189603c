"""What is asked and answered before people vote."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.people import PersonId


@dataclass(frozen=True, slots=True)
class Remark:
    """A question of somebody who may approve, or the answer of whose request it is."""

    by: PersonId
    name: str
    text: str
    at: datetime
    is_answer: bool = False
