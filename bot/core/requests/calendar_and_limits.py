"""Why more approvals are asked for than the rule asks for by itself."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ExtraApprovalReason:
    """One reason. `code` is for programs: freeze, outside_window or blast_radius."""

    code: str
    why: str
    until: datetime | None = None  # when it is over; of a window, when the next one begins
