"""The audit log, a hash chain."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.core.audit.anchor import Anchor
from bot.core.audit.chain import BrokenChain, Event, Head, VerifiedChain
from bot.core.requests.outbox import Message


class AuditLog(Protocol):
    """Sealed events, which are only ever appended. Writers may raise `StoreBusy`."""

    def record(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        """Append events that belong to no request's change, and messages about them."""

    def use_config(self, config_digest: str) -> None:
        """From now on every event is recorded as decided under this configuration."""

    def head(self) -> Head:
        """The head of the chain."""

    def events_about(self, request_id: str, *, newest: int | None = None) -> list[Mapping[str, Any]]:
        """All events about a request, in order, or the newest of them.

        Raises `NotSealed` if one of them was not recorded by a bot of ours.
        """

    def verify_chain(self, anchor: Anchor | None = None) -> VerifiedChain | BrokenChain:
        """Verify the chain: the first time whole, then what is new; and that it contains every head known here.

        After a break that an operator has accepted, it is judged from the event that says so.
        """

    def chain_judged_since(self) -> int:
        """The number of the record since which the chain is judged: of an accepted break, or 0."""

    def forgeries(self) -> list[tuple[str, str]]:
        """Rows that were found not to be what a bot of ours wrote, since the last call; each with the reason."""

    def chain(self, *, after: int = 0, limit: int = 1000, sealed_only: bool = False) -> list[Mapping[str, Any]]:
        """Audit events in order of their sequence numbers; with `sealed_only` up to the first that is none of ours."""
