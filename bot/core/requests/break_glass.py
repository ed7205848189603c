"""Break-glass: somebody went ahead without the votes that were missing, and a review of it is owed."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.people.identity import PersonId


@dataclass(frozen=True, slots=True)
class Signature:
    """Somebody looked at what was done without them, and put their name under it."""

    by: PersonId
    name: str
    at: datetime
    remark: str = ""


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who went ahead alone, and why. Like a vote it counts only for the plan that it was said to."""

    by: PersonId
    name: str
    reason: str
    at: datetime
    digest: str
    console_works: bool = False  # a guarded unit's tick: out-of-band access works today
    groups: tuple[str, ...] = ()  # whose members could have approved
    need: int = 0
    have: int = 0  # of the approvals it needed
    remind_at: datetime | None = None  # of the review, while it is owed
    signed: Signature | None = None
