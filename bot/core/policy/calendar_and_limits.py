"""What the policy says of times and numbers for which its rules alone do not ask enough: freezes, windows, bounds."""

from dataclasses import dataclass
from datetime import timedelta

from bot.core.time.calendar import Times


@dataclass(frozen=True, slots=True)
class ExtraApprovals:
    """How much more is asked for than by the rule. Of several that hold at once the one that asks for most counts."""

    more: int = 1  # approvals beside those of the rule
    need: int = 0  # and so many at least
    approve: tuple[str, ...] = ()  # groups whose members approve instead of the rule's
    forbid: str = ""  # not empty: a flat no, with this reason


@dataclass(frozen=True, slots=True)
class Freeze:
    """Times at which more people have to agree to a mask. It never touches an undo."""

    name: str
    times: tuple[Times, ...]
    because: str = ""
    environments: frozenset[str] = frozenset()
    host_groups: frozenset[str] = frozenset()
    units: tuple[str, ...] = ("*",)
    rise: ExtraApprovals = ExtraApprovals()
    line: int = 0  # where it stands in the policy file


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Times at which the rules that name it ask for no more than they say; outside, they ask for more."""

    name: str
    times: tuple[Times, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much may be asked and done in a while; None where there is no bound. They never touch an undo."""

    requests_per_minute: int | None = None  # of one person
    open_requests: int | None = None  # of everybody together
    within: timedelta = timedelta(minutes=10)  # the while of the next two
    hosts: int | None = None  # on which masks are made
    units_per_host: int | None = None  # that are masked on one of them
    beyond: ExtraApprovals | None = None  # what is asked for beyond these two; else the most that any rule asks for
    line: int = 0


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """The masks of the last while: how many hosts and how many units on this host there are together with this one."""

    hosts: int = 1
    units: int = 1
