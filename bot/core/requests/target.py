"""The target of a request, one unit on one host: what was seen there, which commands were sent, and the result."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.requests.stages import Outcome
from bot.core.systemd.units import Layer, LayerFile, Snapshot, UnitName


@dataclass(frozen=True, slots=True)
class Sent:
    """A command to a host: recorded before it is sent, completed when its answer arrives."""

    step: str
    argv: tuple[str, ...]
    at: datetime
    exit_code: int | None = None  # None: no answer (yet)
    output: str = ""
    millis: int = 0


@dataclass(frozen=True, slots=True)
class SlowWait:
    """A wait for a unit that is slow to stop or to start. Other changes may use the host meanwhile."""

    since: datetime
    shown_at: datetime  # when the card last said that it still waits


@dataclass(frozen=True, slots=True)
class Forced:
    """A stop that was ended by SIGKILL, as people approved it in a request of its own."""

    request_id: str
    at: datetime
    approvers: tuple[str, ...] = ()  # names of the approvers
    break_glass_by: str = ""  # who used break-glass for it


@dataclass(frozen=True, slots=True)
class Target:
    """One unit on one host of a request: locked, checked, changed step by step, and verified."""

    host: str
    unit: UnitName  # as asked until the first look, then the unit's real Id
    layer: Layer | None = None  # where the mask is made or removed
    digest: str = ""
    planned: Snapshot | None = None  # what people saw when they were asked
    before: Snapshot | None = None  # right before the change; until then equal to planned
    after: Snapshot | None = None
    starts: tuple[str, ...] = ()  # of an undo: the units that it starts, as far as the look before it shows
    made: LayerFile | None = None  # the link we made, as first seen
    adopted: bool = False  # the link was there already, made by somebody else
    sent: tuple[Sent, ...] = ()
    status_before: str = ""
    status_after: str = ""
    outcome: Outcome | None = None
    note: str = ""  # a sentence that explains the outcome
    unknown_since: datetime | None = None
    last_seen: Snapshot | None = None  # the newest look, for the card
    # a mask was loaded while the unit stopped: the rest of its own stop sequence did not run
    settings_lost: bool = False
    waiting: SlowWait | None = None
    beside: tuple[str, ...] = ()  # units that other requests changed on the host while this one waited
    called_off: datetime | None = None  # withdrawn while it waited for the stop, or as a later end was to be given
    forced: Forced | None = None
