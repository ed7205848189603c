"""Count by fresh looks on how many hosts of a group a unit runs: a rollout leaves enough of them (`keep_active`).

A host that does not answer counts as down, and so does one on which a request of ours, of whatever rollout or of none,
is about to stop the unit. No further host is looked at once there are enough, so that a large group costs little.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bot.core.hosts.inventory import Host
from bot.core.requests import KeepActive, Request, Stage
from bot.core.requests.deadlines import is_ahead
from bot.core.rollout.keep_active import Count, stops_units
from bot.core.systemd.units import UnitName
from bot.errors import HostError
from bot.ports import Query
from bot.workflow.hosts.look import look
from bot.workflow.process.deps import Deps

_AT_ONCE = 10  # looks at a time
_MOST = 1000  # requests that are under way
_UNDER_WAY = frozenset({Stage.APPROVED, Stage.RUNNING})
Unit = tuple[str, UnitName]  # on a host


def count_active(
    deps: Deps,
    rules: Sequence[KeepActive],
    wanted: Iterable[Unit],
    *,
    user: str = "",
    begun: Collection[Unit] = (),
    counts: Callable[[Request], bool] = lambda _: True,
) -> tuple[Count, ...]:
    """The counts of each wanted unit in each group, of all hosts where all of them cannot be stopped.

    `begun` are gone already, whatever their requests say yet; `counts` says which of the requests under way do.
    """
    wanted = [*dict.fromkeys(wanted)]
    units = dict.fromkeys(unit for _, unit in wanted)
    hosts = {host.name for rule in rules for host in deps.in_force.inventory.in_group(rule.group)}
    going = [one for one in _under_way(deps, hosts, user) if counts(one)] if hosts else []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="keep-active") as pool:
        looks = _Looks(deps, user, going, begun, pool)
        return tuple(_count(looks, rule, unit, wanted) for unit in units for rule in rules)


@dataclass(frozen=True, slots=True)
class _Looks:
    """Looks at many hosts, each of them once for each unit."""

    deps: Deps
    user: str
    going: Sequence[Request]
    begun: Collection[Unit]
    pool: ThreadPoolExecutor
    known: dict[Unit, bool] = field(default_factory=dict)

    def staying(self, hosts: Sequence[Host], unit: UnitName) -> set[str]:
        """On which of these hosts the unit runs, and nothing of ours is about to stop it."""
        new = [host for host in hosts if (host.name, unit) not in self.known]
        found = self.pool.map(lambda host: self._stays(host, unit), new)
        self.known.update(((host.name, unit), stays) for host, stays in zip(new, found, strict=True))
        return {host.name for host in hosts if self.known[host.name, unit]}

    def _stays(self, host: Host, unit: UnitName) -> bool:
        if (host.name, unit) in self.begun:
            return False
        try:
            seen = look(self.deps, host, unit, user=self.user)
        except HostError:
            return False
        names = {*seen.names, str(seen.id), str(unit)}
        is_going = any(one.target.host == host.name and str(one.target.unit) in names for one in self.going)
        return not seen.active.is_down and not is_going


def _count(looks: _Looks, rule: KeepActive, unit: UnitName, wanted: Sequence[Unit]) -> Count:
    """Those that are to be stopped come first; it ends as soon as all of them can be spared."""
    first, active = {host for host, other in wanted if other == unit}, set[str]()
    hosts = sorted(looks.deps.in_force.inventory.in_group(rule.group), key=lambda host: host.name not in first)
    for begin in range(0, len(hosts), _AT_ONCE):
        active |= looks.staying(hosts[begin : begin + _AT_ONCE], unit)
        if len(active) >= rule.at_least + len(first):
            break
    return Count(rule, unit, frozenset(active))


def _under_way(deps: Deps, hosts: Iterable[str], user: str) -> list[Request]:
    """The requests that are about to stop a unit on one of these hosts, or just do."""
    now = deps.clock.now()
    found = deps.store.find(Query(hosts=tuple(sorted(hosts)), stages=_UNDER_WAY, limit=_MOST))
    return [
        one
        for one in found
        if stops_units(one.ask.change)
        and one.ask.change.user == user
        and not is_ahead(one.ask.change.scheduled_window, now)
    ]
