"""The queue of due requests, each claimed under a lease with a fence."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.requests import Request, Stage


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a request for a while. Every write under it must match its fence."""

    request: Request
    owner: str
    fence: int


class Claims(Protocol):
    """Due requests: claimed, renewed, released. Writers may raise `StoreBusy`."""

    def claim(self, owner: str, *, with_targets: bool = True) -> Claim | None:
        """Take the request that has been due longest, with a lease; one target of a rollout only `with_targets`."""

    def renew(self, claims: Sequence[Claim]) -> list[Claim]:
        """Extend their leases, all at once. Return those that were released meanwhile, or have passed to others."""

    def release(self, claim: Claim, *, due_at: datetime | None) -> None:
        """Release the claim; due again then (None: when something happens), or at once if a vote came in meanwhile."""

    def make_due(self, request_id: str) -> None:
        """Make an unfinished request due now, or a rollout, whose targets may still move."""

    def make_all_due(self, stages: Collection[Stage]) -> None:
        """Make every request in one of these stages due now; a claimed one, as soon as it is released."""
