"""Keep enough hosts of a group running a unit while a rollout masks it: counted by fresh looks before each target."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.core.hosts.inventory import Host
from bot.core.requests import KeepActive, Request, Rollout, RolloutTarget, TargetStatus, Verb
from bot.core.systemd.units import UnitName
from bot.errors import HostError
from bot.workflow.hosts.look import look
from bot.workflow.process.deps import Deps

_AT_ONCE = 10  # looks at a time


@dataclass(frozen=True, slots=True)
class Headroom:
    """Which hosts of the group run the unit now, and how many of them must go on."""

    rule: KeepActive
    active: frozenset[str]

    @property
    def spare(self) -> int:
        """How many of the active ones may be masked."""
        return len(self.active) - self.rule.at_least


def headroom(deps: Deps, request: Request, rollout: Rollout) -> Headroom | None:
    """Count by fresh looks; a host that does not answer counts as down. None: nothing has to go on running."""
    rule, change = rollout.settings.keep_active, request.ask.change
    if rule is None or change.verb is not Verb.MASK or change.keep_running:
        return None
    hosts = deps.in_force.inventory.in_group(rule.group)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = zip(hosts, pool.map(lambda host: _is_active(deps, host, change.unit, change.user), hosts), strict=True)
        return Headroom(rule, frozenset(host.name for host, is_active in found if is_active))


def keeping_enough(room: Headroom, rollout: Rollout, wanted: Sequence[RolloutTarget]) -> list[RolloutTarget]:
    """As many of the wanted targets as may begin, so that enough hosts go on running the unit.

    Those that were begun and still run it are counted as gone already.
    """
    going = {one.host for one in rollout.with_status(TargetStatus.STARTED, TargetStatus.UNKNOWN)}
    spare, begin = room.spare - len(going & room.active), list[RolloutTarget]()
    for one in wanted:
        costs = one.host in room.active
        if not costs or spare > 0:
            begin.append(one)
            spare -= costs
    return begin


def _is_active(deps: Deps, host: Host, unit: UnitName, user: str) -> bool:
    try:
        return not look(deps, host, unit, user=user).active.is_down
    except HostError:
        return False
