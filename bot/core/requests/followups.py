"""Followups: break-glass, questions, answers, transfers and sign-offs that people send about a request.

A followup is recorded at once and handled once the sender's identity has been verified.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import PersonId, Place
from bot.core.requests.approval import Tally


class FollowupKind(StrEnum):
    """The kinds of followup."""

    BREAK_GLASS = "break_glass"  # break-glass: without the missing approvals
    ASK_FOR_MORE = "ask_for_more"  # a question from somebody who may approve
    ANSWER = "answer"  # an answer to that question
    HAND_OVER = "hand_over"
    SIGN_OFF = "sign_off"  # of a break-glass change
    PAUSE = "pause"  # of a rollout that is being carried out
    GO_ON = "go_on"
    STOP_HERE = "stop_here"


@dataclass(frozen=True, slots=True)
class FollowupCommand:
    """What somebody wants of a request beside a vote; for each field see `Followup`."""

    kind: FollowupKind
    text: str = ""
    digest: str = ""
    console_works: bool = False
    to: PersonId | None = None
    code: str = field(default="", repr=False)  # from their authenticator; it is checked and never stored


@dataclass(frozen=True, slots=True)
class Followup:
    """One person's followup. Like a vote, it is recorded first, and then accepted or refused."""

    kind: FollowupKind
    by: PersonId
    name: str
    at: datetime
    place: Place  # where to answer
    text: str = ""  # the reason, the question or the answer
    digest: str = ""  # BREAK_GLASS: the digest of the plan it is about
    console_works: bool = False  # BREAK_GLASS on a guarded unit: console access is confirmed
    stepped_up: bool = False  # BREAK_GLASS: they gave a right code from their authenticator
    to: PersonId | None = None  # HAND_OVER: the new owner
    tally: Tally = Tally.RECORDED
    refusal: str = ""  # why it was refused, if it was


@dataclass(frozen=True, slots=True)
class Transfer:
    """The transfer of a request, or of its mask, to a new owner."""

    to: PersonId
    to_name: str
    by: PersonId
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Remark:
    """A question from somebody who may approve, or the owner's answer."""

    by: PersonId
    name: str
    text: str
    at: datetime
    is_answer: bool = False
