"""Approvals: what the policy asks for before a change may run, and the votes that people gave."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.core.people.identity import PersonId, Place, Shift
from bot.core.requests.calendar_and_limits import ExtraApprovalReason


class Verdict(StrEnum):
    """The choice of a voter: approve or deny."""

    APPROVE = "approve"
    DENY = "deny"


class Tally(StrEnum):
    """The state of a vote: recorded, counted or refused."""

    RECORDED = "recorded"  # the voter is not verified yet
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
    code: str = field(default="", repr=False)  # from the voter's authenticator; it is checked and never stored


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote on one plan. It counts only for the plan digest that it was given for."""

    voter: PersonId
    voter_name: str
    verdict: Verdict
    at: datetime
    digest: str
    tally: Tally = Tally.RECORDED
    reason: str = ""  # the voter's own reason, or why the vote was refused
    console_works: bool = False  # for a guarded unit: the voter confirms that out-of-band console access works today
    stepped_up: bool = False  # the voter gave a code from their authenticator, and it was right
    place: Place | None = None  # where to answer the voter
    groups: tuple[str, ...] = ()  # the approving groups that the voter belonged to when the vote was counted
    event: str = ""  # the id of the sealed event that says it was given

    @property
    def on_record(self) -> dict[str, Any]:
        """What the events of a vote say of it, beside the voter."""
        return {
            "digest": self.digest,
            "verdict": str(self.verdict),
            "console_works": self.console_works,
            "stepped_up": self.stepped_up,
            "cast_at": self.at,
        }


@dataclass(frozen=True, slots=True)
class Approval:
    """The approvals that `decide` asked for."""

    rule: str
    need: int
    groups: tuple[str, ...]
    approve_by: datetime
    # how long people have to approve; approve_by is computed from it, anew if they are asked again
    approve_within: timedelta = timedelta(minutes=15)
    good_for: timedelta = timedelta(minutes=10)  # how long the approval stays good
    guarded: str = ""  # why an approver must confirm that console access works; empty: not needed
    distinct: bool = False  # each approval has to come from a different group
    step_up: bool = False  # each approval needs a code from the approver's authenticator
    on_call: tuple[Shift, ...] = ()  # members of the groups who were on call when people were asked
    raised: tuple[ExtraApprovalReason, ...] = ()  # why more approvals are needed than the rule itself asks for
    calendar_changes_at: datetime | None = None  # when the calendar alone may change the number of approvals
    policy: str = ""  # the digest of the policy that judged the request last
    at_least: int = 0  # approvals that an earlier policy asked for: its successor may ask for more, never for fewer
    was_distinct: bool = False  # an earlier policy asked for approvals from different groups
    was_step_up: bool = False  # an earlier policy asked for codes
