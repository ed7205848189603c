"""Sinks, which receive copies of the audit log."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.core.audit.audit_shipping import SinkNeed


class Sink(Protocol):
    """Receives audit records, in another system."""

    @property
    def name(self) -> str:
        """The sink's name, for people."""

    @property
    def need(self) -> SinkNeed:
        """What happens while the sink takes nothing."""

    def take(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Take these records in order, or raise `SinkError` within the deadline. Records may be delivered twice."""
