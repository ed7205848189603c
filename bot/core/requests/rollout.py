"""Rollouts: one approved plan for many targets, carried out in waves. Each target is a request of its own."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.systemd.units import UnitName

MOST_TARGETS = 500  # of one rollout, unless the policy says fewer


@dataclass(frozen=True, slots=True)
class KeepActive:
    """How many hosts of a group must go on running the unit while it is masked elsewhere."""

    group: str
    at_least: int


@dataclass(frozen=True, slots=True)
class RolloutRule:
    """What one rule of the policy says of rollouts; of what is not said here it says nothing."""

    waves: tuple[str, ...] = ()
    pause: timedelta | None = None
    stop_after: str = ""
    in_parallel: int | None = None
    keep_active: KeepActive | None = None
    strict: bool = False
    wait_for_aftercheck: bool = False


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How a rollout goes on from wave to wave, as the policy's rules and the request say.

    `waves` are numbers of hosts, shares of all of them, or `rest`: `("1", "10%", "rest")`.
    `stop_after` is a number of failed targets, or a share, after which the rollout pauses by itself.
    """

    waves: tuple[str, ...] = ("1", "rest")
    pause: timedelta = timedelta()  # between two waves
    stop_after: str = "1"
    in_parallel: int = 10  # targets that are carried out at once
    keep_active: tuple[KeepActive, ...] = ()  # all of them hold
    strict: bool = False  # pause as soon as the plan of one target has changed since it was approved
    each_alone: bool = False  # a unit begins though another on its host did not end as asked: for an undo
    wait_for_aftercheck: bool = False  # the next wave waits until the first check after the change found nothing


@dataclass(frozen=True, slots=True)
class Selection:
    """What a rollout is asked for: hosts, groups and units as typed; what triggers a unit is masked before it."""

    hosts: tuple[str, ...]
    units: tuple[UnitName, ...]
    waves: tuple[str, ...] = ()  # empty: those of the policy
    with_triggers: bool = False  # also what triggers the units: sockets, timers, paths
    in_order: bool = False  # one host after the other, as typed or as the inventory has them

    def __str__(self) -> str:
        options = " --set" * self.with_triggers + " --order" * self.in_order
        waves = f" --waves {','.join(self.waves)}" if self.waves else ""
        return f"{','.join(self.hosts)} {','.join(map(str, self.units))}{options}{waves}"


_LEAVES_SOMETHING = frozenset({"proven", "masked_running", "masked_restarted", "not_protected", "not_loaded"})


class TargetStatus(StrEnum):
    """How far one target of a rollout has come."""

    PLANNING = "planning"  # its host is being checked
    READY = "ready"  # planned; waits for its wave
    LEFT_OUT = "left_out"  # it never was part of the plan; its note says why
    STARTED = "started"  # its wave has come: it waits for its host, or runs
    ASKED_AGAIN = "asked_again"  # its plan has changed, so its approvers are asked anew
    UNKNOWN = "unknown"  # commands were sent, and the outcome is not known yet
    DONE = "done"  # as asked, and proven
    FAILED = "failed"  # over, and not as asked
    UNDONE = "undone"  # it was masked as asked, and the mask was undone since
    LOST = "lost"  # it was masked as asked, and the hold's mask was taken off by others since
    # it was not begun, because the rollout was stopped, another unit on its host failed, or people did not want it
    SKIPPED = "skipped"

    @property
    def is_open(self) -> bool:
        """Whether the target still moves by itself."""
        return self in (TargetStatus.PLANNING, TargetStatus.STARTED, TargetStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class RolloutTarget:
    """One target of a rollout, and the request that carries it out."""

    host: str
    unit: UnitName
    request_id: str = ""
    status: TargetStatus = TargetStatus.PLANNING
    wave: int = 0  # counted from 1; 0 before the waves are planned
    digest: str = ""  # of its plan, as people approved it
    state_summary: str = ""  # what is alike where this is alike: `running, enabled`
    outcome: str = ""  # of its request, once that is done
    note: str = ""  # why it was left out, failed, or is asked about again
    # On a hold, which goes on where it is not in force yet, and to hosts that join later:
    kind: str = ""  # the digest of its plan without its machine: what people approved on one, they approved on another
    tries: int = 0  # requests that were made for it after the hold came into force
    again_at: datetime | None = None  # when the next one is made; None: it has not ended, or was never tried
    told: str = ""  # why it is not in force there, as its owners know

    @property
    def can_be_undone(self) -> bool:
        """Whether it made something that is still in place, as far as is known."""
        is_over = self.status in (TargetStatus.DONE, TargetStatus.FAILED, TargetStatus.LOST)
        return is_over and self.outcome in _LEAVES_SOMETHING


@dataclass(frozen=True, slots=True)
class Rollout:
    """The state of a rollout."""

    settings: RolloutSettings = RolloutSettings()
    targets: tuple[RolloutTarget, ...] = ()
    wave: int = 0  # the wave that runs or ran last; 0 before the first
    wave_ended_at: datetime | None = None  # when the last target of this wave was settled
    go_on: bool = False  # somebody does not want to wait for the pause between waves
    paused_at: datetime | None = None
    paused_by: str = ""  # the name of whoever paused it; empty: it paused by itself
    why_paused: str = ""
    waits_for: str = ""  # why nothing is begun now, though it is not paused
    forgiven: int = 0  # failures that somebody has seen, and went on
    forgiven_changes: int = 0  # and plans that had changed
    stopped_at: datetime | None = None  # nothing more is begun
    stopped_by: str = ""
    joins_at: datetime | None = None  # of a hold: when it is looked for hosts that join it
    judged_by: str = ""  # the digest of the policy that was in force then
    is_closed: bool = False  # it is over, and so are the requests of its targets that were never begun

    @property
    def planned(self) -> tuple[RolloutTarget, ...]:
        """The targets that belong to the plan."""
        return tuple(one for one in self.targets if one.status is not TargetStatus.LEFT_OUT)

    @property
    def left_out(self) -> tuple[RolloutTarget, ...]:
        """The targets that do not belong to the plan."""
        return tuple(one for one in self.targets if one.status is TargetStatus.LEFT_OUT)

    @property
    def has_masks(self) -> bool:
        """Whether it has masked something, as far as is known."""
        return any(one.can_be_undone for one in self.targets)

    @property
    def is_unknown(self) -> bool:
        """Whether the outcome of a target is not known yet."""
        return any(one.status is TargetStatus.UNKNOWN for one in self.targets)

    @property
    def last_wave(self) -> int:
        """The number of waves."""
        return max((one.wave for one in self.targets), default=0)

    @property
    def is_between_waves(self) -> bool:
        """Whether it waits for the next wave, of which nothing has begun."""
        return self.wave_ended_at is not None and self.wave < self.last_wave and not self.stopped_at

    def with_status(self, *statuses: TargetStatus) -> tuple[RolloutTarget, ...]:
        """The targets with one of these statuses."""
        return tuple(one for one in self.targets if one.status in statuses)

    def in_wave(self, number: int) -> tuple[RolloutTarget, ...]:
        """The targets of a wave."""
        return tuple(one for one in self.planned if one.wave == number)

    def of_request(self, request_id: str) -> RolloutTarget | None:
        """The target that a request carries out."""
        return next((one for one in self.targets if one.request_id == request_id), None)

    def put(self, *changed: RolloutTarget) -> "Rollout":
        """The rollout with these targets as they are now; a new one is added at the end."""
        newer = {(one.host, one.unit): one for one in changed}
        kept = [newer.pop((one.host, one.unit), one) for one in self.targets]
        return replace(self, targets=(*kept, *newer.values()))
