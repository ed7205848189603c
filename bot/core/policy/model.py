"""What a rule may look at and what it may answer: facts, the policy that people configured, and decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from bot.core.hosts.inventory import Host
from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.calendar_and_limits import BlastRadius, ExtraApprovals, Freeze, MaintenanceWindow, RequestLimits
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import REMIND, EscalationStep, ExtraApprovalReason, KillSwitch, Request, Verb, Verdict
from bot.core.requests.scheduling import Scheduling
from bot.core.systemd.units import Snapshot
from bot.core.time.schedule import HandoverSchedule


class Moment(StrEnum):
    """When the question is asked. Each later moment knows more, and none trusts an earlier answer."""

    ASK = "ask"  # identity, place and rules; the host has not been looked at
    LOOKED = "looked"  # with the first full snapshot
    VOTE = "vote"  # somebody voted
    BREAK_GLASS = "break_glass"  # somebody wants to go ahead without the votes that are missing
    ACT = "act"  # right before acting, with a fresh snapshot and everybody's rights read again


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why something could not be told; `for_now` where it will be as soon as the bot has reached Slack."""

    why: str
    for_now: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a rule may look at."""

    now: datetime
    moment: Moment
    request: Request
    host: Host
    requester: Person
    place: Place
    snapshot: Snapshot | None = None
    voter: Person | None = None  # VOTE: whose vote is being judged
    verdict: Verdict | None = None  # and what they say
    approvers: tuple[Person, ...] = ()  # those whose counted approval stands, as they are now
    members: Mapping[str, frozenset[PersonId]] = field(default_factory=dict)  # group -> who is in it now
    break_glass: Person | None = (
        None  # who went ahead without the missing votes, or wants to (BREAK_GLASS), as they are now
    )
    unknown: Mapping[str, Unknown] = field(default_factory=dict)  # group -> why nobody could tell who is in it
    unfit: frozenset[PersonId] = frozenset()  # members who are known to be guests, bots or gone
    shifts: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)  # on-call group -> who is on call until when
    cards: Mapping[str, Place] = field(default_factory=dict)  # channels where rules put their cards, as they are now
    own_mask: Request | None = None  # of ours: that it would take back, prolong, or stop by force for
    others: tuple[Host, ...] = ()  # the other hosts of the group that would be held, or would not be any more
    whole: Request | None = None  # on one more host of a group: by which people approved the hold, while that stands
    kill_switch: KillSwitch | None = None  # MASK: who stopped new masks
    unshipped: str = ""  # MASK: why the record does not reach everybody who is owed a copy of it
    blast_radius: BlastRadius | None = None  # MASK: what was masked lately, where the policy has a bound for it


@dataclass(frozen=True, slots=True)
class Routing:
    """Where people hear of what a rule covers."""

    card_channel: str = ""  # where its cards are, if not where it was asked
    mention: tuple[str, ...] = ()  # groups that the card calls, once
    tell: tuple[str, ...] = ()  # channels that are merely told, of the request and of its end
    from_private: bool = False  # what was asked in a private channel as well


@dataclass(frozen=True, slots=True)
class Allow:
    """It may run now."""

    rule: str
    because: str
    routing: Routing = Routing()


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """It may run with `need` approvals in all, from members of `groups`; `have` of them are there."""

    rule: str
    because: str
    need: int
    have: int
    groups: tuple[str, ...]
    decide_within: timedelta
    good_for: timedelta
    guarded: str = ""
    distinct: bool = False  # each approval has to come from another group
    on_call: tuple[Shift, ...] = ()  # who of the groups is on call, where a group is about that
    routing: Routing = Routing()
    lost: tuple[PersonId, ...] = ()  # whose counted approval does not stand any more
    remind: tuple[timedelta, ...] = ()
    escalate: tuple[EscalationStep, ...] = ()
    raised: tuple[ExtraApprovalReason, ...] = ()  # why more is asked for than the rule says
    turns_at: datetime | None = None  # when the calendar alone may change this answer


@dataclass(frozen=True, slots=True)
class Refuse:
    """No. `code` is for programs, `reason` and `hint` are sentences for the caller: what said no, what would help."""

    code: str
    reason: str
    hint: str = ""


Decision = Allow | NeedsApproval | Refuse


@dataclass(frozen=True, slots=True)
class ListedUnit:
    """A pattern of units that are critical (nobody may mask them) or guarded, with the reason people are told."""

    pattern: str
    because: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the policy file. All of its conditions must hold together; an empty one holds always.

    `ask` is a right and no condition: empty, it lets nobody ask.
    """

    name: str
    environments: frozenset[str] = frozenset()
    host_groups: frozenset[str] = frozenset()
    units: tuple[str, ...] = ("*",)  # shell-style patterns on any name of the unit
    verbs: frozenset[Verb] = frozenset(Verb)
    ask: frozenset[str] = frozenset()  # groups of people who may ask
    forbid: str = ""  # not empty: an explicit no, with this reason
    need: int = 1
    approve: tuple[str, ...] = ()  # groups whose members may approve
    distinct: bool = False  # each approval has to come from another of these groups
    decide_within: timedelta = timedelta(minutes=15)
    good_for: timedelta = timedelta(minutes=10)
    requires_end: bool = False  # a mask has to end by itself,
    hold_will_do: bool = False  # or to be a hold
    windows: tuple[str, ...] = ()  # outside of these a mask
    outside: ExtraApprovals = ExtraApprovals()  # asks for more
    allows_break_glass: bool = True  # whether break-glass may stand for its missing votes
    remind: tuple[timedelta, ...] = REMIND  # after so long, each time, those who can still decide are called again
    escalate: tuple[EscalationStep, ...] = ()  # and whom else, step by step
    routing: Routing = Routing()
    line: int = 0  # where it stands in the policy file


@dataclass(frozen=True, slots=True)
class BreakGlassPolicy:
    """Who may go ahead without the votes that are missing, who is told each time, and how much they have to say."""

    groups: frozenset[str] = frozenset()  # of people; nobody unless named
    channels: tuple[str, ...] = ()  # ids
    people: tuple[str, ...] = ()  # groups whose members are mentioned beside whoever was skipped
    min_reason_length: int = 10  # characters


@dataclass(frozen=True, slots=True)
class Group:
    """People: listed by ids, or whoever is in a user group or a channel, or on call, whenever it is asked."""

    name: str
    users: frozenset[PersonId] = frozenset()
    slack_group: str = ""
    channel: str = ""
    anybody_may_join: bool = False  # the channel may be a public one
    on_call: str = ""  # a schedule of the on-call source


@dataclass(frozen=True, slots=True)
class OnCallSource:
    """What is asked who is on call: a command, or a URL with `{schedule}` in it."""

    command: tuple[str, ...] = ()  # the schedule is added as its last argument
    url: str = ""
    deadline: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that configuration says about who may do what."""

    digest: str  # SHA-256 of the files it was read from
    teams: frozenset[str]  # Slack teams (or enterprises) whose people count as ours; empty: the bot's own
    channels: frozenset[str]  # ids
    channel_prefixes: tuple[str, ...]  # of names, such as `inc-`
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]
    critical: tuple[ListedUnit, ...]
    guarded: tuple[ListedUnit, ...]
    guarded_need: int = 2
    undo_window: timedelta = timedelta(hours=24)
    shortest_mask: timedelta = timedelta(minutes=1)  # of those that end by themselves
    longest_mask: timedelta = timedelta(days=30)
    free_extension: float = 1.0  # so many times the approved length a mask may be extended without a vote, in all
    undo_by: tuple[str, ...] = ()  # groups whose members may take back any mask of ours within that time
    people: Mapping[str, PersonId] = field(default_factory=dict)  # operating-system user -> person
    on_call: OnCallSource | None = None
    shell_channel: str = ""  # where requests from the command line put their card
    handover_schedule: HandoverSchedule | None = None
    time_zone: tzinfo = UTC  # in which a time is meant that names none
    scheduling: Scheduling = Scheduling()
    operations_channel: str = ""  # where what belongs to no request is said
    tell_foreign_masks: bool = True  # there, of masks that somebody made or removed by hand; they are recorded anyway
    unit_types: frozenset[str] = frozenset({"service", "socket", "timer", "path"})
    instances: bool = True  # whether instances (`foo@1.service`) may be masked
    break_glass: BreakGlassPolicy = BreakGlassPolicy()
    holds: HoldPolicy = HoldPolicy()
    freezes: tuple[Freeze, ...] = ()
    maintenance_windows: tuple[MaintenanceWindow, ...] = ()
    limits: RequestLimits = RequestLimits()
    no_start_proof: tuple[str, ...] = ()  # patterns of units for which the start is not tried as a proof


@dataclass(frozen=True, slots=True)
class Explained:
    """What one step of the question, or one rule of the policy file, says of the facts."""

    step: str
    applies: bool  # a step was passed; a rule of the policy file matches
    why: str  # what it answered, or why it does not match
    decides: bool = False  # this answer is the decision
    line: int = 0  # of a rule: where it stands in the policy file


Check = Callable[[Facts, Policy], Decision | None]
