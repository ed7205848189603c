"""What somebody asks for: a change of one unit on one host, by whom, where, why, and for how long."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import PersonId, Place
from bot.core.requests.duration import Duration
from bot.core.requests.hold import Hold
from bot.core.requests.scheduled_window import ScheduledWindow
from bot.core.systemd.units import UnitName


class Verb(StrEnum):
    """What may be asked for."""

    MASK = "mask"
    UNMASK = "unmask"


@dataclass(frozen=True, slots=True)
class Change:
    """Verb, unit and host, and how: the default is a persistent mask of a unit that is stopped first."""

    verb: Verb
    host: str  # or `@web`, as it is typed, until one host of that group is chosen to begin with
    unit: UnitName
    runtime: bool = False  # until the next reboot
    keep_running: bool = False  # mask, do not stop
    user: str = ""  # that user's own manager instead of the system's
    duration: Duration | None = None  # until it ends by itself; None: until somebody takes it back
    hold: Hold | None = None  # it lasts: who answers for it, and when they look at it again
    window: ScheduledWindow | None = None  # when it may be carried out; None: as soon as people agree
    force: bool = False  # nothing but this: end by SIGKILL the stop that a mask of ours waits for

    def __str__(self) -> str:
        options = " --runtime" * self.runtime + " --keep-running" * self.keep_running + " --force" * self.force
        whose = f" --user {self.user}" if self.user else ""
        times = "".join(f" {time}" for time in (self.duration, self.hold, self.window) if time)
        where = f"@{self.hold.hosts}" if self.hold and self.hold.is_whole else self.host
        return f"{self.verb} {where} {self.unit}{options}{whose}{times}"

    @property
    def noun(self) -> str:
        """As it is called in a sentence: `the mask of`, `the stop by force of`."""
        return "stop by force" if self.force else str(self.verb)

    def taken_back(self, unit: UnitName) -> "Change":
        """What takes this mask back, at once, under the unit's real name."""
        return replace(self, verb=Verb.UNMASK, unit=unit, keep_running=False, duration=None, hold=None, window=None)


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asked, where, and why.

    `undoes` is the id of our own mask request that this takes back; `repeats` of one that did not come to its end or
    of a hold that has lost its mask; `prolongs` of one that is to end later than it would, or not at all, or of a hold
    that is kept: nothing is done to its host; `forces` of one that waits for the stop that is to be ended by force.
    """

    change: Change
    requester: PersonId
    requester_name: str
    place: Place
    reason: str = ""
    undoes: str = ""
    repeats: str = ""
    extends: str = ""
    forces: str = ""
    instead_of: datetime | None = None  # with `prolongs`: when that mask would end
    by_itself: bool = False  # asked by nobody: an end has come, a hold puts its mask back or goes to one more host
    break_glass: bool = False  # without the votes that are missing, if the policy lets them
    console_works: bool = (
        False  # with `--break-glass`: their word, for a guarded unit, that out-of-band access works today
    )

    @property
    def is_put_back(self) -> bool:
        """A hold puts its mask back by it."""
        return self.by_itself and bool(self.repeats)

    @property
    def is_part(self) -> bool:
        """It holds one more host of a group, which people approved for all of them."""
        return self.change.hold is not None and bool(self.change.hold.part_of)
