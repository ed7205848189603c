"""The dependencies of the workflow (ports and configuration), and its timings."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.core.audit.seal_keys import KeyRing
from bot.core.hosts.inventory import Host
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests.expiry import AftercarePolicy
from bot.core.steps import StepLimits
from bot.core.systemd.own_machine import OwnMachine
from bot.ports import Channel, Clock, Directory, Hosts, Pager, Sink, Store
from bot.workflow.process.ack_priority import AckPriority
from bot.workflow.process.channel_states import ChannelStates
from bot.workflow.process.integrity import Integrity
from bot.workflow.process.liveness import Liveness
from bot.workflow.process.look_limits import LookLimits
from bot.workflow.process.reachability import Reachability

UNCALLED = 20  # queries by the scheduling thread, after which the workers query for themselves


@dataclass(frozen=True, slots=True)
class Timings:
    """How long things may take, in seconds, and how often they are done."""

    look_deadline: float = 25.0
    command_deadline: float = 45.0
    retries: tuple[float, ...] = (1.0, 2.0, 4.0)  # pauses before retries, while nothing was sent to the host
    recheck_first: float = 1.0  # between looks while an outcome is unknown
    recheck_longest: float = 30.0
    host_busy: float = 0.5  # until a request that waits for its host or its card is tried again
    not_verified: float = 5.0  # until people whom Slack did not describe are looked up again
    allowed_for: float = 1800.0  # how long a request that needs no approval may wait for its turn
    slow_first: float = 1.0  # between looks at a slow stop or start: the first pause, growing
    slow_longest: float = 5.0  # to this one
    progress: float = 5.0  # between two progress notes about a long wait
    sign_off_reminder: float = 86_400.0  # between two reminders of a break-glass sign-off
    poll: float = 0.5
    lease_renew: float = 15.0
    message_retry: float = 2.0
    unit_lists: float = 300.0  # how long a cached list of a host's units is offered
    page_outcome_unknown_after: float = 120.0  # after which somebody is paged about an unknown outcome
    watch_interval: float = 300.0  # between two scans of a host
    heartbeat: float = 5.0  # between two heartbeats
    stuck: float = 60.0  # after which a thread that did not come round counts as stuck
    chain_watch: float = 10.0  # between two verifications of the audit chain, and looks for forged rows
    acts_per_minute: int = 60  # commands, clicks and forms of one person that are taken
    audit_anchor: float = 86_400.0  # between two posts of the audit log's head
    alarm_after: float = 300.0  # how long Slack, or a sink, may be away before somebody is paged


class InForce:
    """The configuration in force. `now` is one reference, so whoever keeps it has the old one or the new one, whole."""

    def __init__(self, now: ConfigSnapshot) -> None:
        self.put(now)

    def put(self, newer: ConfigSnapshot) -> None:
        """Replace the configuration from now on."""
        self.now = newer
        self.inventory, self.policy = newer.inventory, newer.policy


@dataclass(frozen=True, slots=True)
class Deps:
    """The ports and the configuration; `bot/app/compose.py` fills it with the edges, tests with what they need.

    The configuration may be replaced at any moment, so whoever reads more than one thing of it reads them from the
    `pinned` copy made at the beginning of a piece of work.
    """

    store: Store
    hosts: Hosts
    directory: Directory
    channel: Channel
    clock: Clock
    in_force: InForce
    timings: Timings = Timings()
    limits: StepLimits = StepLimits()
    reachability: Reachability = field(default_factory=Reachability)  # which hosts do not answer
    look_limits: LookLimits = field(default_factory=LookLimits)  # how long a look at each host may take
    aftercare: AftercarePolicy = AftercarePolicy()
    pager: Pager | None = None
    sinks: tuple[Sink, ...] = ()  # who receives the audit log
    keys: KeyRing = field(
        default_factory=lambda: KeyRing(())
    )  # of the seals; secrets of authenticators derive from them
    log_in: Callable[[Host], None] = lambda _host: None  # on a new connection; raises `HostError` if that fails
    own_machine: OwnMachine = OwnMachine()  # where the bot itself runs
    integrity: Integrity = field(default_factory=Integrity)  # whether the audit chain is trusted
    liveness: Liveness = field(default_factory=Liveness)  # the state of this process
    channel_states: ChannelStates = field(default_factory=ChannelStates)  # which channels are shared
    ack_priority: AckPriority = field(default_factory=AckPriority)  # payloads that wait for their acknowledgement

    def pinned(self) -> "Deps":
        """A copy with the configuration of this moment, whatever is put in force meanwhile."""
        return replace(self, in_force=InForce(self.in_force.now))
