"""The audit log, a hash chain."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.core.audit.chain import Event, Head
from bot.core.requests.outbox import Message


class AuditLog(Protocol):
    """Sealed events, which are only ever appended. Writers may raise `StoreBusy`."""

    def record(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        """Append events that belong to no request's change, and messages about them."""

    def use_config(self, config_digest: str) -> None:
        """From now on every event is recorded as decided under this configuration."""

    def head(self) -> Head:
        """The head of the chain."""

    def chain(self, *, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
        """Sealed audit events in order of their sequence numbers."""
