"""The outbox: messages that wait to be posted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.requests.outbox import Message


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A due message: where it is posted already, and which version of its request that shows."""

    id: int
    request_id: str  # empty for a message that belongs to no request
    message: Message
    attempts: int
    channel: str = ""
    ts: str = ""  # of the posted message, empty if it is not posted yet
    posted_version: int = -1
    tried_at: datetime | None = None  # since when it may have been posted by a try that did not finish


class Outbox(Protocol):
    """Messages, stored with the change that they report, and delivered afterwards. Writers may raise `StoreBusy`."""

    def claim_message(self, owner: str) -> DueMessage | None:
        """Take the message that has been due longest, with a lease."""

    def mark_delivered(self, due: DueMessage, *, channel: str, ts: str, version: int) -> str:
        """Record that the message is posted, with this version of its request; return the timestamp that counts.

        It is another timestamp if the lease expired and another process has posted the message meanwhile, and empty if
        that process is about to. A card that was written so late is rendered once more.
        """

    def mark_undelivered(self, due: DueMessage, *, retry_in: timedelta | None) -> None:
        """Record that the message could not be delivered, and when to retry; None drops it."""

    def has_posted(self, request_id: str, channel: str, ts: str) -> bool:
        """Whether the message is one of ours about the request; or may be, as its card is being posted."""

    def card(self, request_id: str) -> tuple[str, str]:
        """Channel and timestamp of a request's card; empty strings if it is not posted yet."""
