"""Freezes, maintenance windows and limits that raise the approvals a rule asks for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from bot.core.requests.rollout import MOST_TARGETS
from bot.core.time.calendar import Times


@dataclass(frozen=True, slots=True)
class ExtraApprovals:
    """The extra approvals of one freeze, window or limit. If several apply, the one that asks for most counts."""

    more: int = 1  # in addition to the rule's own approvals
    need: int = 0  # at least this many approvals
    approve: tuple[str, ...] = ()  # groups whose members approve instead of the rule's groups
    forbid: str = ""  # if not empty: refuse, with this reason


@dataclass(frozen=True, slots=True)
class Freeze:
    """A change freeze: times at which a mask needs more approvals. A freeze never affects an undo."""

    name: str
    times: tuple[Times, ...]
    because: str = ""
    environments: frozenset[str] = frozenset()
    host_groups: frozenset[str] = frozenset()
    units: tuple[str, ...] = ("*",)
    extra_approvals: ExtraApprovals = ExtraApprovals()
    line: int = 0  # line in the policy file


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A maintenance window: inside, the rules that name it need no extra approvals; outside, they do."""

    name: str
    times: tuple[Times, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much may be requested and masked in a period; None: no limit. Limits never affect an undo."""

    requests_per_minute: int | None = None  # by one person
    open_requests: int | None = None  # by everybody together
    within: timedelta = timedelta(minutes=10)  # the period of the next two limits
    hosts: int | None = None  # hosts on which masks are made
    units_per_host: int | None = None  # units that are masked on one of these hosts
    targets: int = MOST_TARGETS  # of one request for several hosts or units
    beyond: ExtraApprovals | None = None  # approvals beyond these two limits; default: the most that any rule asks for
    line: int = 0

    @property
    def bound_blast_radius(self) -> bool:
        """Whether it is limited on how many hosts, or how many units of a host, masks are made."""
        return self.hosts is not None or self.units_per_host is not None

    def allow(self, reach: "BlastRadius") -> bool:
        """Whether masks may reach so far without further approvals."""
        are_few = self.hosts is None or reach.hosts <= self.hosts
        return are_few and (self.units_per_host is None or reach.units <= self.units_per_host)


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """Blast radius: the hosts, and the units on this host, that were masked recently, counted with this mask."""

    hosts: int = 1
    units: int = 1

    @classmethod
    def of(cls, lately: Collection[tuple[str, str]], host: str, unit: str, *, hosts: Collection[str] = ()) -> Self:
        """Counted with a mask of this unit on this host, or on all these hosts; `lately` are hosts and units."""
        reached = {*(hosts or [host]), *(other for other, _ in lately)}
        units = {unit, *(masked for other, masked in lately if other == host)}
        return cls(len(reached), len(units))
