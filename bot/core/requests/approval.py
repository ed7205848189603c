"""What the policy asks for before a change may run, and what people said to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.people.identity import PersonId, Place, Shift
from bot.core.requests.calendar_and_limits import ExtraApprovalReason


class Verdict(StrEnum):
    """What a voter says."""

    APPROVE = "approve"
    DENY = "deny"


class Tally(StrEnum):
    """What became of a vote."""

    CAST = "cast"  # recorded, its voter not verified yet
    COUNTED = "counted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class VoteCommand:
    """How somebody wants to vote, and on which plan: the first signs of its digest suffice."""

    verdict: Verdict
    digest: str
    card: tuple[str, str] | None = None  # the channel and timestamp of the card that was pressed, if it was one
    reason: str = ""
    console_works: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on one plan. It counts only for the digest that it was given for."""

    voter: PersonId
    voter_name: str
    verdict: Verdict
    at: datetime
    digest: str
    tally: Tally = Tally.CAST
    reason: str = ""  # the voter's, or why the vote was refused
    console_works: bool = False  # a guarded unit's tick: out-of-band access works today
    place: Place | None = None  # where to answer the voter
    groups: tuple[str, ...] = ()  # which of the approving groups held the voter when the vote was counted


@dataclass(frozen=True, slots=True)
class Approval:
    """What the policy asks for, as `decide` said it."""

    rule: str
    need: int
    groups: tuple[str, ...]
    decide_by: datetime
    decide_within: timedelta = timedelta(minutes=15)  # the time that decide_by came from, given anew if asked anew
    good_for: timedelta = timedelta(minutes=10)  # how long the approval may wait to be used
    guarded: str = ""  # why an approver must tick that console access works; empty: not needed
    distinct: bool = False  # each approval has to come from another of the groups
    on_call: tuple[Shift, ...] = ()  # who of the groups was on call when people were asked
    raised: tuple[ExtraApprovalReason, ...] = ()  # why that is more than the rule asks for by itself
    turns_at: datetime | None = None  # when the calendar alone may ask for more or less
    policy: str = ""  # the digest of the policy that asked for it, or judged it last
    at_least: int = 0  # how many an earlier policy asked for: the one in its place may ask for more, never for fewer
    was_distinct: bool = False  # an earlier policy wanted them from different groups
