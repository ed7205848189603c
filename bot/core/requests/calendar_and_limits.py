"""Reasons why a request needs more approvals than its rule asks for: freeze, maintenance window, blast radius."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ExtraApprovalReason:
    """One reason for extra approvals. `code` is for programs: freeze, outside_window or blast_radius."""

    code: str
    why: str
    until: datetime | None = None  # when the freeze ends, or the next maintenance window begins
