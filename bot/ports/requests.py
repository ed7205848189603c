"""Stored requests and their votes."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.audit.chain import Event
from bot.core.people.identity import PersonId
from bot.core.policy.calendar_and_limits import RequestLimits
from bot.core.requests import Request, Stage, Vote
from bot.core.requests.outbox import Message
from bot.core.rollout.progress import Progress
from bot.core.systemd.units import UnitName
from bot.ports.claims import Claim


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions on requests, all of which must match; results are newest first."""

    host: str = ""
    hosts: tuple[str, ...] = ()  # on any of them
    unit: UnitName | None = None
    stages: frozenset[Stage] = frozenset()
    live_masks: bool = False
    sign_offs_owed: bool = False
    requester: PersonId | None = None  # the current owner
    since: datetime | None = None
    key: str = ""  # the key under which it was recorded
    rollout: str | None = None  # targets of this rollout; an empty text: no targets of rollouts
    limit: int = 50


Count = Callable[[Query], int]  # the number of results


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted for a mask that may begin; it begins only if that still stands once all other writers wait."""

    hosts: frozenset[str] = frozenset()  # of the groups that keep the unit active: no other mask began on one of them
    until: int = 0  # the number of the newest event when they were counted
    known: frozenset[str] = frozenset()  # the requests under way that counted as gone
    limits: RequestLimits | None = None  # that allow the mask, with all others that were made lately


NOT_COUNTED = Counted()


class Requests(Protocol):
    """Requests and votes, compared and set by version. Writers may raise `StoreBusy`."""

    def add(
        self,
        request: Request,
        *,
        events: Sequence[Event],
        messages: Sequence[Message] = (),
        provided: Callable[[Count], None] | None = None,
    ) -> tuple[Request, bool]:
        """Record a new request, or find the one with the same key; the bool says whether it is new.

        `provided` is called before a new one is written, with counts that no other replica changes until then. If it
        raises, nothing is recorded.
        """

    def get(self, request_id: str) -> Request:
        """Raises `NoSuchRequest`."""

    def find(self, query: Query) -> list[Request]:
        """The requests that match."""

    def progress(self, rollout: str, *, among: Collection[str] | None = None) -> list[Progress]:
        """How far each target of a rollout has come, in the order in which they were recorded; or these alone."""

    def masked_lately(self, since: datetime, *, beside: Request) -> frozenset[tuple[str, str]]:
        """Host and unit of every other mask that began since then, or is approved, due and was asked before this."""

    def count(self, query: Query) -> int:
        """How many requests match, whatever the limit."""

    def record_vote(self, request_id: str, vote: Vote, *, events: Sequence[Event]) -> bool:
        """Record a vote and make its request due; False if this person's vote on this plan is there already."""

    def save(
        self,
        request: Request,
        *,
        events: Sequence[Event] = (),
        messages: Sequence[Message] = (),
        claim: Claim | None = None,
        urgent: bool = True,
        counted: Counted = NOT_COUNTED,
    ) -> Request:
        """Replace the stored request if its version is still `request.version`, and return it with the next one.

        One transaction: the row, its target and votes, the audit events, what must be said, its card
        (`card_after_save`) and when it is due again (`next_due`). `urgent` says whether people wait for the card.
        Raises `Stale`, `LostClaim` (the fence does not match), `HostBusy` (RUNNING while another runs on the host, or
        where what was `counted` does not stand any more).
        """
