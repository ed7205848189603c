"""One host and one unit of a request: what was seen there, what was sent, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.requests.stages import Outcome
from bot.core.systemd.units import Layer, LayerFile, Snapshot, UnitName


@dataclass(frozen=True, slots=True)
class Sent:
    """A command to a host: recorded before it is sent, completed when its answer is there."""

    step: str
    argv: tuple[str, ...]
    at: datetime
    exit_code: int | None = None  # None: no answer (yet)
    output: str = ""
    millis: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait for a unit that is slow to stop or to start. Its host is free for other changes meanwhile."""

    since: datetime
    shown_at: datetime  # when the card said so last


@dataclass(frozen=True, slots=True)
class Forced:
    """A stop that was ended by SIGKILL, as people approved it in a request of its own."""

    request_id: str
    at: datetime
    approvers: tuple[str, ...] = ()  # their names
    break_glass_by: str = ""  # who went ahead without the votes that were missing


@dataclass(frozen=True, slots=True)
class Target:
    """One host and one unit of a request: what is claimed, locked, looked at, stepped and verified."""

    host: str
    unit: UnitName  # as asked until the first look, then the unit's real Id
    layer: Layer | None = None  # where the mask goes, or comes from
    digest: str = ""
    planned: Snapshot | None = None  # what people saw when they were asked
    before: Snapshot | None = None  # right before acting; until then the same as planned
    after: Snapshot | None = None
    made: LayerFile | None = None  # the link we made, as first seen
    sent: tuple[Sent, ...] = ()
    status_before: str = ""
    status_after: str = ""
    outcome: Outcome | None = None
    note: str = ""  # a sentence that the outcome needs
    unknown_since: datetime | None = None
    last_seen: Snapshot | None = None  # the newest look, for the card
    settings_lost: bool = False  # a mask was loaded while it stopped: what was left of its own stop did not happen
    waiting: Waiting | None = None
    called_off: datetime | None = None  # withdrawn while it waited
    forced: Forced | None = None
