"""What the workflow is put together from, and how long it lets things take."""

from dataclasses import dataclass, field, replace

from bot.core.hosts.inventory import Host, Inventory
from bot.core.policy.configuration import Configured
from bot.core.policy.model import Policy
from bot.core.requests.expiry import AftercarePolicy
from bot.core.steps import Limits
from bot.errors import UsageError
from bot.ports import Channel, Clock, Directory, Hosts, Pager, Sink, Store
from bot.workflow.process.ack_priority import AckPriority
from bot.workflow.process.liveness import Liveness
from bot.workflow.process.reachability import Reachability

UNCALLED = 20  # looks by the one who looks out for work, after which the others look for themselves


@dataclass(frozen=True, slots=True)
class Timings:
    """How long things may take and how often they are tried again, in seconds."""

    look_deadline: float = 25.0
    command_deadline: float = 45.0
    retries: tuple[float, ...] = (1.0, 2.0, 4.0)  # before anything was sent to the host
    recheck_first: float = 1.0  # between looks while an outcome is not known
    recheck_longest: float = 30.0
    host_busy: float = 0.5  # until what waits for its host, or for its card, is tried again
    not_verified: float = 5.0  # until people whom Slack did not describe are asked about again
    allowed_for: float = 1800.0  # how long what needs no vote may wait for its turn
    slow_first: float = 1.0  # between looks at what is slow to stop or to start: from this, growing,
    slow_longest: float = 5.0  # to this
    progress: float = 5.0  # between two words about a long wait
    review_reminder: float = 86_400.0  # between two words about a review that is owed
    poll: float = 0.5
    lease_renew: float = 15.0
    message_retry: float = 2.0
    unit_lists: float = 300.0  # how long the names of a host's units are offered before they are asked for anew
    page_unknown: float = 120.0  # after which somebody is paged because nobody knows what a command did
    watch_interval: float = 300.0  # between two looks at all masks of a host
    heartbeat: float = 5.0  # between two looks of the bot at itself
    stuck: float = 60.0  # after which a thread that should have come round counts as stuck
    audit_anchor: float = 86_400.0  # between two words about where the record ends
    alarm_after: float = 300.0  # how long Slack, or a sink, may be away before somebody is paged


@dataclass
class InForce:
    """The configuration in force. It is one reference, so whoever reads it sees the old one or the new one, whole."""

    now: Configured

    def put(self, newer: Configured) -> None:
        """Replace the configuration from now on."""
        self.now = newer


@dataclass(frozen=True, slots=True)
class Deps:
    """The ports and the configuration; the composition root fills it with the edges, tests with what they need.

    The configuration may be replaced at any moment, so whoever asks for more than one thing of it does so of the
    parts as they are `pinned` at the beginning of a piece of work.
    """

    store: Store
    hosts: Hosts
    directory: Directory
    channel: Channel
    clock: Clock
    in_force: InForce
    timings: Timings = Timings()
    limits: Limits = Limits()
    reachability: Reachability = field(default_factory=Reachability)  # what is known of hosts that do not answer
    care: AftercarePolicy = AftercarePolicy()
    pager: Pager | None = None
    sinks: tuple[Sink, ...] = ()  # who gets copies of the record
    liveness: Liveness = field(default_factory=Liveness)  # how this process itself is
    ack_priority: AckPriority = field(default_factory=AckPriority)  # of whoever waits for an acknowledgement

    @property
    def inventory(self) -> Inventory:
        """The hosts as they are configured now."""
        return self.in_force.now.inventory

    @property
    def policy(self) -> Policy:
        """The policy as it is configured now."""
        return self.in_force.now.policy

    def pinned(self) -> "Deps":
        """The same with the configuration of this moment, whatever is put in force meanwhile."""
        return replace(self, in_force=InForce(self.in_force.now))

    def host(self, name: str) -> Host:
        """The host of that name. Raises `UsageError`."""
        host = self.in_force.now.inventory.get(name)
        if host is None:
            raise UsageError(f"There is no host `{name[:80]}` in the inventory.")
        return host
