"""What somebody asks for: a change of one unit on one host, by whom, where, why, and for how long."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.people import PersonId, Place
from bot.core.units import UnitName


class Verb(StrEnum):
    """What may be asked for."""

    MASK = "mask"
    UNMASK = "unmask"


@dataclass(frozen=True, slots=True)
class Change:
    """Verb, unit and host, and how: the default is a persistent mask of a unit that is stopped first."""

    verb: Verb
    host: str
    unit: UnitName
    runtime: bool = False  # until the next reboot
    keep_running: bool = False  # mask, do not stop
    user: str = ""  # that user's own manager instead of the system's

    def __str__(self) -> str:
        options = " --runtime" * self.runtime + " --keep-running" * self.keep_running
        whose = f" --user {self.user}" if self.user else ""
        return f"{self.verb} {self.host} {self.unit}{options}{whose}"


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asked, where, and why.

    `undoes` is the id of our own mask request that this takes back, `repeats` of one that did not come to its end.
    """

    change: Change
    requester: PersonId
    requester_name: str
    place: Place
    reason: str = ""
    undoes: str = ""
    repeats: str = ""
