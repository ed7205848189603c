"""What has to be said, as values: stored with the change that makes it necessary, and said afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import Place


class MessageKind(StrEnum):
    """What is said about a request. The card is one per request and is edited; the others are said once."""

    CARD = "card"
    LINE = "line"  # the short line in the channel when it is over
    EVIDENCE = "evidence"  # in the card's thread: commands, answers, head of the status before and after
    WHISPER = "whisper"  # to one person alone, best effort
    NOTE = "note"  # a sentence in the card's thread, or in a place of its own
    REMINDER = "reminder"  # to those who still have to decide: what waits for them, said only while it waits
    PAGE = "page"  # to the pager: `to` is its key, and `is_over` says that nobody needs to get up any more
    HANDOVER = "handover"  # what the next on-call has to know, as it is when it is said; it belongs to no request
    DIRECT = "direct"  # a direct message to one person, with a link to the card if it belongs to a request


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be said, stored with the change that makes it necessary.

    `body` is for whispers, notes, pages and direct messages. Nothing in it is special: who is to be notified by a note
    stands in `mentions`, as ids of people (`U...`) and of user groups (`S...`), which are written in front of it. What
    could not be said by `until` is not said any more.
    """

    kind: MessageKind
    to: str = ""  # the user id; of a NOTE: whispered; of a LINE: said directly, unless they are where the card is
    body: str = ""
    place: Place | None = None  # where, if not where the request was asked
    mentions: tuple[str, ...] = ()
    until: datetime | None = None
    links_card: bool = False  # it waits for the card, wherever it is said
    is_over: bool = False

    @property
    def needs_card(self) -> bool:
        """A request that ends before anybody was asked, or anything was done, has no card: then it is not said."""
        if self.kind in (MessageKind.LINE, MessageKind.EVIDENCE) or self.links_card:
            return True
        return self.kind in (MessageKind.NOTE, MessageKind.REMINDER) and self.place is None
