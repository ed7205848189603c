"""Periodic tasks and small documents, stored beside the requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.core.audit.chain import Event
from bot.core.requests.outbox import Message


@dataclass(frozen=True, slots=True)
class Periodic:
    """A periodic task, or state kept beside the requests: a host watch, the handover, the kill switch.

    Its document is JSON of its owner. `version` counts every save and every claim, so that of two who hold the same
    version one is refused.
    """

    name: str  # its kind, a colon, and its subject: `watch:web-01`
    document: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None  # None: it only keeps its document
    version: int = 0


class PeriodicTasks(Protocol):
    """Periodic tasks, compared and set by version, claimed when due. Writers may raise `StoreBusy`."""

    def get_periodic(self, name: str) -> Periodic | None:
        """A task as it is kept."""

    def find_periodic(self, kind: str) -> list[Periodic]:
        """All tasks of a kind: of `watch`, each whose name begins with `watch:`. In order of their names."""

    def save_periodic(
        self, task: Periodic, *, events: Sequence[Event] = (), messages: Sequence[Message] = (), forced: bool = False
    ) -> Periodic:
        """Keep a task, free to be taken when it is due, with what is to be recorded and said, in one transaction.

        A task of version 0 is new. Raises `Stale` if somebody else has kept or taken it since it was read. `forced`
        writes over whatever is there, also over what cannot be read.
        """

    def claim_periodic(self, owner: str) -> Periodic | None:
        """Take the task that has been due longest, with a lease; `save_periodic` ends it."""
