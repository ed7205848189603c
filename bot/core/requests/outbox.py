"""Messages of the outbox: stored in the transaction of the change they report, and delivered afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import Place


class MessageKind(StrEnum):
    """The kinds of message about a request. Each request has one card, which is edited.

    Other messages are posted once.
    """

    CARD = "card"
    LINE = "line"  # the short line in the channel when the request is finished
    EVIDENCE = "evidence"  # in the card's thread: commands, answers, head of the status before and after
    WHISPER = "whisper"  # ephemeral, to one person, best effort
    NOTE = "note"  # a sentence in the card's thread, or in a given channel
    REMINDER = "reminder"  # a reminder to the approvers, posted only while the request waits
    PAGE = "page"  # an alert: `to` is its key; `is_over` resolves it
    HANDOVER = "handover"  # what the next on-call has to know, gathered when it is delivered; belongs to no request
    DIRECT = "direct"  # a direct message to one person, with a link to the card if it belongs to a request


@dataclass(frozen=True, slots=True)
class Message:
    """A message to deliver, stored with the change that it reports.

    `body` is the text of whispers, notes, alerts and direct messages; nothing in it is treated as markup. `mentions`
    are the ids of people (`U...`) and user groups (`S...`) to notify, which are written in front of a note. A message
    that is not delivered by `until` is dropped. `buttons_of` is a request: what can be done with its mask
    when the message is delivered is offered below it.
    """

    kind: MessageKind
    # the user id; NOTE: sent as ephemeral; LINE: sent as direct message, unless the user is in the card's channel
    to: str = ""
    body: str = ""
    place: Place | None = None  # the channel, if not the request's own
    mentions: tuple[str, ...] = ()
    until: datetime | None = None
    links_card: bool = False  # delivered only after the card, in whatever channel
    is_over: bool = False
    buttons_of: str = ""

    @property
    def needs_card(self) -> bool:
        """Whether the message is dropped for a request without a card: one that ended before people were asked."""
        if self.kind in (MessageKind.LINE, MessageKind.EVIDENCE) or self.links_card:
            return True
        return self.kind in (MessageKind.NOTE, MessageKind.REMINDER) and self.place is None
