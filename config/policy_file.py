"""The format of `policy.yaml`: channels, groups, and the rules in their order."""

import re
from datetime import UTC, timedelta, tzinfo
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from bot.core.input.names import REASON_LIMIT
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.requests import Verb
from bot.core.time.handover_schedule import WEEKDAYS, Schedule
from config.calendar_and_limits import CalendarEntry, ExtraApprovalsEntry, RequestLimitsEntry
from config.escalation import EscalationStepEntry, check_times
from config.groups import GroupEntry, Id, OnCallEntry
from config.hold import HoldsEntry, RequiresExpiry
from config.policy_types import ChannelId, ClockTime, Duration, Pattern, Sentence, TeamId, TimeZone, Word, fits
from config.rollout import RolloutEntry
from config.scheduled_window import ScheduledWindowsEntry
from config.strict_yaml import STRICT

LONGEST = timedelta(days=7)
LONGEST_MASK = timedelta(days=366)
# Keys that a rule with `forbid` cannot have.
_RIGHTS = {
    "ask",
    "need",
    "approve",
    "distinct",
    "step_up",
    "approve_within",
    "good_for",
    "requires_expiry",
    "break_glass",
    "maintenance_windows",
}
_RIGHTS |= {"remind", "escalate", "card_channel", "mention", "tell", "from_private", "rollout"}


class Channels(BaseModel):
    """The channels in which the bot acts."""

    model_config = STRICT

    ids: list[ChannelId] = []
    prefixes: list[Annotated[str, fits("[a-z0-9_-]+", "the beginning of a channel name, like `inc-`")]] = []

    @model_validator(mode="after")
    def _somewhere(self) -> "Channels":
        if not self.ids and not self.prefixes:
            raise ValueError("names no channel, so the bot would work nowhere; give `ids` or `prefixes`")
        return self


class RuleEntry(BaseModel):
    """One rule: what it matches, and then either a refusal, or who may ask and who has to approve."""

    model_config = STRICT

    name: Word
    environments: list[Word] = []
    host_groups: list[Word] = []
    units: list[Pattern] = ["*"]
    verbs: list[Literal["mask", "unmask"]] = []
    forbid: Sentence | None = None
    ask: list[Word] = []
    need: int = Field(default=1, ge=0, le=10)
    approve: list[Word] = []
    distinct: bool = False
    step_up: bool = False
    card_channel: ChannelId | None = None
    mention: list[Word] = []
    tell: list[ChannelId] = []
    from_private: bool = False
    approve_within: Duration = timedelta(minutes=15)
    good_for: Duration = timedelta(minutes=10)
    requires_expiry: RequiresExpiry = False
    maintenance_windows: list[Word] = []
    outside: ExtraApprovalsEntry | None = None
    break_glass: bool = True
    remind: list[Duration] | None = None
    escalate: list[EscalationStepEntry] = []
    rollout: RolloutEntry = RolloutEntry()

    @model_validator(mode="after")
    def _says_one_thing(self) -> "RuleEntry":
        rights = _RIGHTS & self.model_fields_set
        if self.forbid is not None and rights:
            raise ValueError(f"forbids the change, so leave out `{min(rights)}`")
        if self.forbid is None and not self.ask:
            raise ValueError("needs `ask`: the groups that may ask (or `forbid`, with a reason)")
        if self.forbid is None and self.need and not self.approve:
            raise ValueError("needs `approve`: the groups whose members may approve")
        if self.distinct and len(set(self.approve)) < max(2, self.need):
            raise ValueError(
                f"`distinct` with need: {self.need} needs at least {max(2, self.need)} groups in `approve`"
            )
        for clock, time in (("approve_within", self.approve_within), ("good_for", self.good_for)):
            if not timedelta(0) < time <= LONGEST:
                raise ValueError(f"`{clock}` has to be more than zero and at most seven days")
        if self.outside and not self.maintenance_windows:
            raise ValueError("`outside` needs `maintenance_windows`: the names of those in `calendar`")
        check_times("remind", self.remind or (), self.approve_within)
        check_times("escalate", [step.after for step in self.escalate], self.approve_within)
        return self

    def which_verbs(self) -> frozenset[Verb]:
        """All verbs unless named; but a refusal is about masks unless it names more, so that it blocks no undo."""
        unnamed = [Verb.MASK] if self.forbid else list(Verb)
        return frozenset(Verb(word) for word in self.verbs) or frozenset(unnamed)


class BreakGlassEntry(BaseModel):
    """Who may use break-glass, who is told of it, and how long the reason must be."""

    model_config = STRICT

    groups: list[Word] = Field(min_length=1)
    tell: list[Id] = []
    min_reason_length: int = Field(default=10, ge=1, le=REASON_LIMIT)
    step_up: bool = False

    def break_glass(self) -> BreakGlassPolicy:
        """The values for the policy."""
        return BreakGlassPolicy(
            groups=frozenset(self.groups),
            channels=tuple(name for name in self.tell if is_channel(name)),
            people=tuple(name for name in self.tell if not is_channel(name)),
            min_reason_length=self.min_reason_length,
            step_up=self.step_up,
        )


def is_channel(name: str) -> bool:
    """Channel ids are written in capitals, and group names never are."""
    return re.fullmatch(r"[CG][A-Z0-9]{2,}", name) is not None


class HandoverEntry(BaseModel):
    """When and where the handover is posted."""

    model_config = STRICT

    at: ClockTime
    time_zone: TimeZone | None = None
    channel: ChannelId | None = None
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(default=[], max_length=7)

    def schedule(self, zone: tzinfo) -> Schedule:
        """The schedule in its own zone, or in the policy's; on all days unless some are named."""
        return Schedule(self.at, self.time_zone or zone, frozenset(self.days or WEEKDAYS))


class PolicyFile(BaseModel):
    """The whole file."""

    model_config = STRICT

    mode: Literal["observe", "act"] = "act"
    teams: list[TeamId] = []
    channels: Channels
    groups: dict[Word, GroupEntry] = Field(min_length=1)
    rules: list[RuleEntry] = Field(min_length=1)
    on_call: OnCallEntry | None = None
    people: dict[Annotated[str, fits("[a-z_][a-z0-9_-]{0,30}", "a login name")], Id] = {}
    same_person: list[Annotated[list[Id], Field(min_length=2)]] = []
    shell_channel: ChannelId | None = None
    operations_channel: ChannelId | None = None
    tell_foreign_masks: bool = True
    handover: HandoverEntry | None = None
    guarded_need: int = Field(default=2, ge=1, le=10)
    calendar: CalendarEntry = CalendarEntry()
    limits: RequestLimitsEntry = RequestLimitsEntry()
    break_glass: BreakGlassEntry | None = None
    holds: HoldsEntry | None = None
    undo_without_approval_for: Duration = timedelta(hours=24)
    time_zone: TimeZone = UTC
    scheduled_windows: ScheduledWindowsEntry = ScheduledWindowsEntry()
    shortest_mask: Duration = timedelta(minutes=1)
    longest_mask: Duration = timedelta(days=30)
    free_extension: float = Field(default=1, ge=0, le=10)
    undo_by: list[Word] = []
    unit_types: list[Literal["service", "socket", "timer", "path"]] = Field(
        default=["service", "socket", "timer", "path"], min_length=1
    )
    instances: bool = True
    no_start_proof: list[Pattern] = []

    @model_validator(mode="after")
    def _handover_has_a_channel(self) -> "PolicyFile":
        if self.handover and not (self.handover.channel or self.for_operations):
            raise ValueError("`handover` needs a `channel`, or an `operations_channel` beside it")
        return self

    @property
    def for_operations(self) -> str:
        """The channel for messages that belong to no request; empty if there is none."""
        return self.operations_channel or self.shell_channel or ""

    @model_validator(mode="after")
    def _some_length_is_allowed(self) -> "PolicyFile":
        if not timedelta(0) < self.shortest_mask <= self.longest_mask <= LONGEST_MASK:
            raise ValueError("`shortest_mask` cannot be longer than `longest_mask`, and a year is the longest")
        return self

    @model_validator(mode="after")
    def _shell_has_a_channel(self) -> "PolicyFile":
        if self.people and self.shell_channel is None:
            raise ValueError(
                "`people` needs `shell_channel`: the channel for the cards of requests from the command line"
            )
        if self.people and not self.teams:
            where = "`maskbot doctor --verbose` shows the id of your workspace"
            raise ValueError(f"`people` needs `teams`, so that an id means one person here and in Slack; {where}")
        return self
