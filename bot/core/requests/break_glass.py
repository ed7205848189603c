"""Break-glass: who went ahead without the missing approvals, and the sign-off that is owed for it."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.people.identity import PersonId


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of somebody who signed a break-glass change off."""

    by: PersonId
    name: str
    at: datetime
    remark: str = ""


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Who used break-glass, and why. Like a vote, break-glass counts only for the plan it was declared on."""

    by: PersonId
    name: str
    reason: str
    at: datetime
    digest: str
    console_works: bool = False  # for a guarded unit: out-of-band console access is confirmed to work today
    stepped_up: bool = False  # they gave a right code from their authenticator
    groups: tuple[str, ...] = ()  # groups whose members could have approved
    need: int = 0
    have: int = 0  # how many approvals were needed
    remind_at: datetime | None = None  # when the next reminder is due, while the sign-off is owed
    signed: Signature | None = None
