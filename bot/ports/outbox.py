"""The outbox: messages that wait to be posted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.requests.outbox import Message


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is due: what is posted already, and under which version."""

    id: int
    request_id: str  # empty for what belongs to no request
    message: Message
    attempts: int
    channel: str = ""
    ts: str = ""  # of the posted message, empty if there is none yet
    posted_version: int = -1
    tried_at: datetime | None = None  # since when it may have been posted by a try that could not say so


class Outbox(Protocol):
    """Messages stored with the change that they tell of, posted afterwards. Writers may raise `StoreBusy`."""

    def claim_message(self, owner: str) -> Due | None:
        """Take the message that has been due longest, with a lease."""

    def mark_delivered(self, due: Due, *, channel: str, ts: str, version: int) -> str:
        """The message stands in Slack, as of this version of its request; the answer is where it stands by now.

        That is another timestamp if the lease ran out and somebody else has posted it meanwhile, empty if he is just
        about to. A card that was written to so late is drawn once more.
        """

    def mark_undelivered(self, due: Due, *, retry_in: timedelta | None) -> None:
        """It could not be said; None gives it up."""

    def card(self, request_id: str) -> tuple[str, str]:
        """Channel and timestamp of a request's card; empty strings if it is not posted yet."""
