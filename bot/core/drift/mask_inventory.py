"""The book: all pages together with our own record, as people want to read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.core.drift.host_view import HostView
from bot.core.requests import Request, Stage
from bot.core.systemd.scan import FoundMask
from bot.core.systemd.systemctl import STARTABLE
from bot.core.systemd.units import FileKind, UnitName

# Of the layers that an unmask looks into.
_FOLDERS = ("/etc/systemd/system.control", "/etc/systemd/system", "/run/systemd/system")


@dataclass(frozen=True, slots=True)
class Entry:
    """One mask: what was found of it, whose it is, or both."""

    host: str
    unit: str
    found: FoundMask | None = None  # None: made since the last look, or in a user's own manager, which no scan sees
    request: Request | None = None  # None: it is not ours


@dataclass(frozen=True, slots=True)
class MaskInventory:
    """What is masked on the hosts, and what is asked for, at one moment."""

    now: datetime
    pages: tuple[HostView, ...]  # of every host that is asked about
    ours: tuple[Request, ...] = ()  # what we made and nobody took back: live masks, and links that are not loaded
    open: tuple[Request, ...] = ()  # what has not ended
    reviews: tuple[Request, ...] = ()  # what somebody did alone and nobody has signed for
    types: frozenset[str] = frozenset(STARTABLE)  # of units that people may ask for
    instances: bool = True  # whether they may ask for those of a template

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every mask, ours first, then by host and unit."""
        found = [entry for page in self.pages for entry in self._found(page)]
        seen = {entry.request.id for entry in found if entry.request}
        unseen = [one for one in self.ours if one.is_live_mask and one.id not in seen]
        others = [Entry(one.target.host, str(one.target.unit), None, one) for one in unseen]
        return tuple(sorted([*found, *others], key=lambda entry: (entry.request is None, entry.host, entry.unit)))

    def can_ask_to_remove(self, mask: FoundMask) -> bool:
        """Whether `/unmask` takes such a mask off with a vote; some it refuses by their names alone."""
        if mask.kind is not FileKind.MASK or not UnitName.is_sendable(mask.unit) or mask.folder not in _FOLDERS:
            return False
        unit = UnitName(mask.unit)
        is_admitted = unit.type in self.types.intersection(STARTABLE) and (self.instances or not unit.is_instance)
        return is_admitted and not unit.is_template

    @property
    def waiting(self) -> tuple[Request, ...]:
        """What waits for people or for its turn, longest first."""
        return self._at(Stage.ASKED, Stage.WAITING, Stage.APPROVED)

    @property
    def running(self) -> tuple[Request, ...]:
        """What is being carried out, or not known yet."""
        return self._at(Stage.RUNNING)

    @property
    def is_empty(self) -> bool:
        """Nobody who takes over has to know of anything."""
        return not (self.open or self.reviews or any(entry.request for entry in self.entries))

    def _at(self, *stages: Stage) -> tuple[Request, ...]:
        return tuple(sorted((one for one in self.open if one.stage in stages), key=lambda one: (one.asked_at, one.id)))

    def _found(self, page: HostView) -> Iterator[Entry]:
        """Each mask of the newest look; one of ours that nobody knows any more was taken back since."""
        mine = [one for one in self.ours if one.target.host == page.host and not one.ask.change.user]
        by_id = {one.id: one for one in mine}
        by_link = {(made.path, made.identity): one for one in mine if (made := one.target.made)}
        for mask in page.scan.masks if page.scan else ():
            owner = page.ours.get(mask.path)
            request = by_link.get((mask.path, mask.identity)) or by_id.get(owner or "")
            if request or not owner:
                yield Entry(page.host, mask.unit, mask, request)
