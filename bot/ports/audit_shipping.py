"""Sinks, which get copies of the audit log."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.core.audit.shipping import Need


class Sink(Protocol):
    """Takes copies of the record, somewhere else."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def need(self) -> Need:
        """What it means that it takes nothing."""

    def take(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Take these, in their order, or raise `SinkError` within its deadline. It may get some of them twice."""
