"""What the workflow is put together from, and how long it lets things take."""

from dataclasses import dataclass

from bot.core.inventory import Host, Inventory
from bot.core.policy import Policy
from bot.core.steps import Limits
from bot.errors import UsageError
from bot.ports import Channel, Clock, Directory, Hosts, Store


@dataclass(frozen=True, slots=True)
class Timings:
    """How long things may take and how often they are tried again, in seconds."""

    look: float = 25.0
    command: float = 45.0
    retries: tuple[float, ...] = (1.0, 2.0, 4.0)  # before anything was sent to the host
    doubt_first: float = 1.0  # between looks while an outcome is not known
    doubt_longest: float = 30.0
    not_yet: float = 0.5  # until what waits for its host, or for its card, is tried again
    not_verified: float = 5.0  # until people whom Slack did not describe are asked about again
    allowed_for: float = 1800.0  # how long what needs no vote may wait for its turn
    progress: float = 5.0  # between two words about a long wait
    poll: float = 0.5
    lease_renewal: float = 15.0
    message_retry: float = 2.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The ports and the configuration; the composition root fills it with the edges, tests with what they need."""

    store: Store
    hosts: Hosts
    directory: Directory
    channel: Channel
    clock: Clock
    inventory: Inventory
    policy: Policy
    timings: Timings = Timings()
    limits: Limits = Limits()

    def host(self, name: str) -> Host:
        """The host of that name. Raises `UsageError`."""
        host = self.inventory.get(name)
        if host is None:
            raise UsageError(f"There is no host `{name[:80]}` in the inventory.")
        return host
