"""The audit chain: what an event is, how events are sealed one onto the other, and how a chain is verified."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.people import PersonId


@dataclass(frozen=True, slots=True)
class Event:
    """An audit event: a decision, a refusal or a command, with everything that led to it."""

    type: str  # `request.received`, `approval.voted`, `exec.intent`, ...
    outcome: str  # success | failure | unknown | denied | no_change
    code: str = ""  # machine-readable reason
    request_id: str = ""
    actor: PersonId | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
