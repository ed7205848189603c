"""Count by fresh looks on how many hosts of a group a unit runs: enough of them are left to run it (`keep_active`).

A host that does not answer counts as down, and so does one on which a request of ours, of whatever rollout or of none,
is about to stop the unit. No further host is looked at once there are enough, so that a large group costs little.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core.cards.rollout.reasons import would_leave_too_few
from bot.core.hosts.inventory import Host
from bot.core.policy.model import Facts, Policy
from bot.core.policy.rules.permission import matching
from bot.core.requests import Change, KeepActive, Request, RolloutTarget, Stage
from bot.core.requests.deadlines import is_ahead
from bot.core.rollout.keep_active import Count, stops_units, that_leaves_too_few
from bot.core.rollout.settings import all_kept
from bot.core.systemd.units import Snapshot, UnitName
from bot.errors import HostError
from bot.ports import NOT_COUNTED, Counted, Query
from bot.workflow.hosts.look import look
from bot.workflow.process.deps import Deps

_AT_ONCE = 10  # looks at a time
_MOST = 1000  # requests that are under way
_UNDER_WAY = frozenset({Stage.APPROVED, Stage.RUNNING})
Unit = tuple[str, UnitName]  # on a host


def too_few(deps: Deps, given: Facts, seen: Snapshot) -> tuple[Count | None, Counted]:
    """The count that keeps a request from stopping its unit now, or None; and what its beginning has to go by.

    What people approved of a rollout holds, and what the policy says by now. A hold that is masked again takes down
    what its owners hold.
    """
    request, rollout = given.request, given.rollout.rollout if given.rollout else None
    ask = request.ask
    is_counted_already = not request.is_new_mask or ask.forces or ask.is_reapply
    if is_counted_already or seen.active.is_down or not stops_units(ask.change):
        return None, NOT_COUNTED
    rules = all_kept([*(rollout.settings.keep_active if rollout else ()), *kept_by(deps.in_force.policy, given)])
    if not rules:
        return None, NOT_COUNTED
    wanted, host = [(given.host.name, seen.id)], given.host.name
    counts, counted = count_active(
        deps, rules, wanted, user=ask.change.user, counts=lambda other: _is_ahead(deps, given, other)
    )
    return next((one for one in counts if host in one.active and one.spare <= 0), None), counted


def why_too_few(deps: Deps, rules: Sequence[KeepActive], planned: Sequence[RolloutTarget], change: Change) -> str:
    """Why all of this is refused, which would leave too few hosts that run a unit; empty if enough are left."""
    if not (rules and planned and stops_units(change)):
        return ""
    counts, _ = count_active(deps, rules, [(one.host, one.unit) for one in planned], user=change.user)
    found = that_leaves_too_few(counts, planned)
    return would_leave_too_few(*found) if found else ""


def count_active(
    deps: Deps,
    rules: Sequence[KeepActive],
    wanted: Iterable[Unit],
    *,
    user: str = "",
    begun: Collection[Unit] = (),
    counts: Callable[[Request], bool] = lambda _: True,
) -> tuple[tuple[Count, ...], Counted]:
    """The counts of each wanted unit in each group, of all hosts where all of them cannot be stopped.

    `begun` are gone already, whatever their requests say yet; `counts` says which of the requests under way do.
    """
    wanted, until = [*dict.fromkeys(wanted)], deps.store.head().seq
    units = dict.fromkeys(unit for _, unit in wanted)
    hosts = {host.name for rule in rules for host in deps.in_force.inventory.in_group(rule.group)}
    going = [one for one in _under_way(deps, hosts, user) if counts(one)] if hosts else []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="keep-active") as pool:
        looks = _Looks(deps, user, going, begun, pool)
        found = tuple(_count(looks, rule, unit, wanted) for unit in units for rule in rules)
    return found, Counted(frozenset(hosts), until, frozenset(one.id for one in going))


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


def _is_ahead(deps: Deps, given: Facts, other: Request) -> bool:
    """Whether another request that is under way counts against this one: of two that wait, only the earlier does."""
    if other.id == given.request.id:
        return False
    return not _waits_too(deps, given, other) or _turn(other) < _turn(given.request)


def _waits_too(deps: Deps, given: Facts, other: Request) -> bool:
    if other.stage is not Stage.APPROVED or other.ask.is_reapply:
        return False
    host = deps.in_force.inventory.get(other.target.host)
    view = replace(given, request=other, host=host, snapshot=other.target.before) if host else None
    return bool(other.ask.rollout or (view and kept_by(deps.in_force.policy, view)))


def kept_by(policy: Policy, given: Facts) -> list[KeepActive]:
    """What the policy says, in each rule that covers this change."""
    return [kept for rule in matching(given, policy) if (kept := rule.rollout.keep_active)]


def _turn(request: Request) -> tuple[datetime, str]:
    return request.approved_at or request.asked_at, request.id
