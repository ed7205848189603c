"""The types of the policy: facts for the rules, the policy that people configured, and the decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from bot.core.hosts.inventory import Host
from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.people.same_person import SamePerson
from bot.core.policy.calendar_and_limits import BlastRadius, ExtraApprovals, Freeze, MaintenanceWindow, RequestLimits
from bot.core.policy.groups import BreakGlassPolicy, Group, OnCallSource
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import (
    REMIND,
    EscalationStep,
    ExtraApprovalReason,
    KillSwitch,
    Request,
    RolloutRule,
    Verb,
    Verdict,
)
from bot.core.requests.scheduled_window import ScheduledWindowLimits
from bot.core.systemd.own_machine import OwnMachine
from bot.core.systemd.units import Snapshot
from bot.core.time.handover_schedule import HandoverSchedule


class Moment(StrEnum):
    """When the question is asked. Each later moment knows more, and none trusts an earlier answer."""

    ASK = "ask"  # identity, channel and rules; the host has not been checked
    LOOKED = "looked"  # with the first full snapshot
    VOTE = "vote"  # somebody approves or denies
    BREAK_GLASS = "break_glass"  # somebody wants to use break-glass
    ACT = "act"  # right before the change, with a fresh snapshot and everybody's rights read again


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why something is not known; `for_now`: it will be known as soon as Slack answers."""

    why: str
    for_now: bool = False


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """One target of a rollout: its host, and its request as far as it has come."""

    host: Host
    request: Request
    own_mask: Request | None = None  # the mask of ours that an unmask of these words removes there


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a rule may look at."""

    now: datetime
    moment: Moment
    request: Request
    host: Host
    requester: Person
    place: Place
    snapshot: Snapshot | None = None
    voter: Person | None = None  # VOTE: the voter
    verdict: Verdict | None = None  # and whether they approve or deny
    approvers: tuple[Person, ...] = ()  # those whose counted approval stands, with their current identity
    members: Mapping[str, frozenset[PersonId]] = field(default_factory=dict)  # group -> current members
    stepped_up: bool = False  # VOTE: whether the voter gave a code from their authenticator
    break_glass: Person | None = None  # who used break-glass, or wants to (BREAK_GLASS), as they are now
    unknown: Mapping[str, Unknown] = field(default_factory=dict)  # group -> why its members are not known
    unfit: frozenset[PersonId] = frozenset()  # members who are known to be guests, bots or deactivated
    shifts: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)  # on-call group -> who is on call until when
    cards: Mapping[str, Place] = field(default_factory=dict)  # channels where rules put their cards, as they are now
    own_mask: Request | None = None  # our own request that this one would undo, extend, or stop by force for
    kill_switch: KillSwitch | None = None  # MASK: who turned the kill switch on
    broken_chain: str = ""  # why the audit chain is not trusted
    unshipped: str = ""  # MASK: why a required sink has not received the audit log
    blast_radius: BlastRadius | None = None  # MASK: recent masks, where the policy limits the blast radius
    targets: tuple[TargetFacts, ...] = ()  # of a rollout: each of its targets
    rollout: Request | None = None  # on one target of a rollout: the rollout, once its targets are planned
    # on one target: those whose approvals of the rollout stand, and who used break-glass for it, as they are now
    rollout_approvers: tuple[Person, ...] = ()
    rollout_break_glass: Person | None = None
    own_machine: OwnMachine = OwnMachine()  # where the bot itself runs


@dataclass(frozen=True, slots=True)
class Routing:
    """Where people are told of a request that a rule covers."""

    card_channel: str = ""  # the card's channel, if not where it was asked
    mention: tuple[str, ...] = ()  # groups that the card mentions, once
    tell: tuple[str, ...] = ()  # channels that are only told of the request and of its outcome
    from_private: bool = False  # also for what was asked in a private channel


@dataclass(frozen=True, slots=True)
class Allow:
    """The change may run now."""

    rule: str
    because: str
    routing: Routing = Routing()


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """The change may run with `need` approvals in all, from members of `groups`; `have` of them are there."""

    rule: str
    because: str
    need: int
    have: int
    groups: tuple[str, ...]
    approve_within: timedelta
    good_for: timedelta
    guarded: str = ""
    distinct: bool = False  # each approval has to come from a different group
    step_up: bool = False  # each approval needs a code from the approver's authenticator
    on_call: tuple[Shift, ...] = ()  # members of the groups who are on call, for on-call groups
    routing: Routing = Routing()
    lost: tuple[PersonId, ...] = ()  # people whose counted approval does not stand any more
    remind: tuple[timedelta, ...] = ()
    escalate: tuple[EscalationStep, ...] = ()
    raised: tuple[ExtraApprovalReason, ...] = ()  # why more approvals are needed than the rule asks for
    calendar_changes_at: datetime | None = None  # when the calendar alone may change this answer


@dataclass(frozen=True, slots=True)
class Refuse:
    """A refusal. `code` is for programs.

    `reason` and `hint` are sentences for the caller: why not, and what would help.
    """

    code: str
    reason: str
    hint: str = ""

    @property
    def sentence(self) -> str:
        """Why it was refused, and what would help."""
        return f"{self.reason} {self.hint}".strip()


Decision = Allow | NeedsApproval | Refuse


@dataclass(frozen=True, slots=True)
class ListedUnit:
    """A pattern for units that are critical (nobody may mask them) or guarded, with the reason that people see."""

    pattern: str
    because: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the policy file. All of its conditions must match; an empty condition always matches.

    `ask` is a right and not a condition: if it is empty, nobody may ask.
    """

    name: str
    environments: frozenset[str] = frozenset()
    host_groups: frozenset[str] = frozenset()
    units: tuple[str, ...] = ("*",)  # shell-style patterns for any name of the unit
    verbs: frozenset[Verb] = frozenset(Verb)
    ask: frozenset[str] = frozenset()  # groups of people who may ask
    forbid: str = ""  # if not empty: refuse, with this reason
    need: int = 1
    approve: tuple[str, ...] = ()  # groups whose members may approve
    distinct: bool = False  # each approval has to come from a different one of these groups
    step_up: bool = False  # each approval, and break-glass, needs a code from that person's authenticator
    approve_within: timedelta = timedelta(minutes=15)
    good_for: timedelta = timedelta(minutes=10)
    requires_expiry: bool = False  # a mask must expire,
    hold_will_do: bool = False  # or be a hold
    maintenance_windows: tuple[str, ...] = ()  # outside of them a mask
    outside: ExtraApprovals = ExtraApprovals()  # needs these extra approvals
    allows_break_glass: bool = True  # whether break-glass is allowed
    remind: tuple[timedelta, ...] = REMIND  # pause between reminders to the approvers who have not answered
    escalate: tuple[EscalationStep, ...] = ()  # escalation steps
    routing: Routing = Routing()
    rollout: RolloutRule = RolloutRule()
    line: int = 0  # line in the policy file


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that configuration says about who may do what."""

    digest: str  # SHA-256 of the files it was read from
    teams: frozenset[str]  # Slack teams (or enterprises) whose people count as ours; empty: the bot's own
    channels: frozenset[str]  # channel ids
    channel_prefixes: tuple[str, ...]  # beginnings of channel names, such as `inc-`
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]
    critical: tuple[ListedUnit, ...]
    guarded: tuple[ListedUnit, ...]
    guarded_need: int = 2
    undo_without_approval_for: timedelta = timedelta(hours=24)
    shortest_mask: timedelta = timedelta(minutes=1)  # limits for masks that expire
    longest_mask: timedelta = timedelta(days=30)
    free_extension: float = 1.0  # so many times the approved length a mask may be extended without a vote, in all
    undo_by: tuple[str, ...] = ()  # groups whose members may undo any mask of ours within that time
    people: Mapping[str, PersonId] = field(default_factory=dict)  # operating-system user -> person
    same_person: SamePerson = SamePerson()  # accounts that belong to one person
    on_call: OnCallSource | None = None
    shell_channel: str = ""  # the channel for cards of requests from the command line
    handover_schedule: HandoverSchedule | None = None
    time_zone: tzinfo = UTC  # the time zone of times that name none
    scheduled_windows: ScheduledWindowLimits = ScheduledWindowLimits()
    operations_channel: str = ""  # the channel for messages that belong to no request
    tell_foreign_masks: bool = True  # it is told of masks made or removed by hand; they are recorded anyway
    unit_types: frozenset[str] = frozenset({"service", "socket", "timer", "path"})
    instances: bool = True  # whether instances (`foo@1.service`) may be masked
    break_glass: BreakGlassPolicy = BreakGlassPolicy()
    holds: HoldPolicy = HoldPolicy()
    freezes: tuple[Freeze, ...] = ()
    maintenance_windows: tuple[MaintenanceWindow, ...] = ()
    limits: RequestLimits = RequestLimits()
    observe: bool = False  # nothing is changed on any host
    no_start_proof: tuple[str, ...] = ()  # patterns of units for which the proof does not try a start

    @property
    def mode(self) -> str:
        """What policy.yaml calls it: `observe` or `act`."""
        return "observe" if self.observe else "act"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer of one step, or of one rule of the policy file, for given facts."""

    step: str
    applies: bool  # the step was passed; the rule matches
    why: str  # the answer, or why the rule does not match
    decides: bool = False  # this answer is the decision
    line: int = 0  # of a rule: its line in the policy file


Check = Callable[[Facts, Policy], Decision | None]
