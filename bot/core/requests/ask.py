"""What somebody asks for: a change to one unit on one host, with requester, channel, reason and duration."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.people.identity import PersonId, Place
from bot.core.requests.aftercare import NewKind
from bot.core.requests.duration import Duration
from bot.core.requests.hold import Hold
from bot.core.requests.rollout import Selection
from bot.core.requests.scheduled_window import ScheduledWindow
from bot.core.systemd.units import UnitName


class Verb(StrEnum):
    """The kinds of change that can be asked for."""

    MASK = "mask"
    UNMASK = "unmask"


@dataclass(frozen=True, slots=True)
class Change:
    """Verb, unit, host and options. The default is a persistent mask of a unit that is stopped first."""

    verb: Verb
    host: str  # of a rollout: its hosts and groups as typed, like `web-01,@db`
    unit: UnitName
    runtime: bool = False  # a runtime mask: until the next reboot
    keep_running: bool = False  # mask without stopping
    user: str = ""  # a unit of that user's manager instead of the system's
    duration: Duration | None = None  # until the mask expires; None: until somebody undoes it
    hold: Hold | None = None  # a hold: who owns it, and its review date
    scheduled_window: ScheduledWindow | None = None  # the scheduled window; None: as soon as it is approved
    # units that the same rollout changes on this host, so that their relations to this one are not part of its plan
    beside: tuple[str, ...] = ()
    adopt: bool = False  # a mask that somebody else made becomes ours; nothing is done on the host
    force: bool = False  # only this: end with SIGKILL the stop that one of our masks waits for

    def __str__(self) -> str:
        options = " --runtime" * self.runtime + " --keep-running" * self.keep_running + " --force" * self.force
        options += " --adopt" * self.adopt
        whose = f" --user {self.user}" if self.user else ""
        times = "".join(f" {time}" for time in (self.duration, self.hold, self.scheduled_window) if time)
        return f"{self.verb} {self.host} {self.unit}{options}{whose}{times}"

    @property
    def noun(self) -> str:
        """The change as it is called in a sentence: `the mask of`, `the forced stop of`."""
        return "stop by force" if self.force else "adoption" if self.adopt else str(self.verb)

    def as_undo(self, unit: UnitName) -> "Change":
        """The change that undoes this mask, at once, under the unit's real name."""
        return Change(Verb.UNMASK, self.host, unit, runtime=self.runtime, user=self.user, beside=self.beside)


def in_words(change: Change, selection: Selection | None) -> str:
    """The change as it can be typed, with all hosts and units of a rollout."""
    return str(change).replace(f"{change.host} {change.unit}", str(selection), 1) if selection else str(change)


@dataclass(frozen=True, slots=True)
class Ask:
    """The change that somebody asked for, where, and why.

    `undoes`, `repeats`, `extends` and `forces` are ids of other requests. `undoes`: our own mask that this one undoes.
    `repeats`: a request that did not finish, or a hold that has lost its mask. `extends`: a mask that gets a later
    expiry or none, or a hold that is kept; nothing is done on its host. `forces`: a mask that waits for a stop, which
    is to be ended by force.
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
    selection: Selection | None = None  # a rollout: everything that it is about; the change names its first words
    rollout: str = ""  # on one target of a rollout: the id of the rollout
    instead_of: datetime | None = None  # with `extends`: the new expiry
    new_kind: NewKind | None = None  # with `extends`: it becomes another kind of mask, or stays without expiry
    remind_at: datetime | None = None  # with LOOKED_AT: when its owner is reminded again
    by_itself: bool = False  # the bot itself asked: a mask expired, or a hold is reapplied
    break_glass: bool = False  # break-glass: without the missing approvals, if the policy allows it
    console_works: bool = (
        False  # with `--break-glass`: their word, for a guarded unit, that out-of-band access works today
    )
    stepped_up: bool = False  # with `--break-glass`: they gave a right code from their authenticator

    @property
    def words(self) -> str:
        """What was asked for, as it can be typed."""
        return in_words(self.change, self.selection)

    @property
    def related_ids(self) -> tuple[str, ...]:
        """The other requests by whose stored state this one acts."""
        return tuple(filter(None, (self.undoes, self.repeats, self.extends, self.forces, self.rollout)))

    @property
    def is_reapply(self) -> bool:
        """Whether this request reapplies the mask of a hold."""
        return self.by_itself and bool(self.repeats)
