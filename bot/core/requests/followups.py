"""What people want of a request beside a vote: recorded at once, heard once somebody has verified who they are."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import PersonId, Place
from bot.core.requests.approval import Tally


class FollowupKind(StrEnum):
    """What may be wanted."""

    BREAK_GLASS = "break_glass"  # ahead without the votes that are missing
    ASK_FOR_MORE = "ask_for_more"  # a question before a vote
    ANSWER = "answer"  # to that
    HAND_OVER = "hand_over"
    SIGN_REVIEW = "sign_review"  # of what somebody did alone


@dataclass(frozen=True, slots=True)
class FollowupCommand:
    """What somebody wants of a request beside a vote; for each field see `Followup`."""

    kind: FollowupKind
    text: str = ""
    digest: str = ""
    console_works: bool = False
    to: PersonId | None = None


@dataclass(frozen=True, slots=True)
class Followup:
    """One person's word. Like a vote it is cast, and then counted or refused."""

    kind: FollowupKind
    by: PersonId
    name: str
    at: datetime
    place: Place  # where to answer
    text: str = ""  # why, what is asked, what is answered
    digest: str = ""  # GO_ALONE: of the plan that it is about
    console_works: bool = False  # GO_ALONE: a guarded unit's tick
    to: PersonId | None = None  # HAND_OVER
    tally: Tally = Tally.CAST
    refusal: str = ""  # what its answer was, if that was no


@dataclass(frozen=True, slots=True)
class Handover:
    """A request, or the mask that it made, became somebody else's."""

    to: PersonId
    to_name: str
    by: PersonId
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Remark:
    """A question of somebody who may approve, or the answer of whose request it is."""

    by: PersonId
    name: str
    text: str
    at: datetime
    is_answer: bool = False
