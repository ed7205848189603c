"""The inventory of masks: all hosts' last scans together with our own records, as people read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.core.drift.host_view import HostView
from bot.core.requests import Request, Stage
from bot.core.systemd.host_rules import MASKABLE_TYPES
from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.scan import FoundMask
from bot.core.systemd.units import FileKind, UnitName

# Of the layers in which an unmask looks for a mask.
_FOLDERS = ("/etc/systemd/system.control", "/etc/systemd/system", "/run/systemd/system")


@dataclass(frozen=True, slots=True)
class MaskEntry:
    """One mask: as found on the host, as recorded by us, or both."""

    host: str
    unit: str
    found: FoundMask | None = None  # None: made since the last scan, or in a user's own manager, which no scan covers
    request: Request | None = None  # None: not ours, or not on record
    unrecorded: RememberedMask | None = None  # ours, as the guard remembers, though it is not on record
    targets: tuple["MaskEntry", ...] = ()  # of a rollout: the masks that it made

    @property
    def is_ours(self) -> bool:
        """Whether the bot made it, be that on record or not."""
        return self.request is not None or self.unrecorded is not None


@dataclass(frozen=True, slots=True)
class MaskInventory:
    """The masks on hosts, and the open requests, at one moment."""

    now: datetime
    host_views: tuple[HostView, ...]  # of every host in question
    ours: tuple[Request, ...] = ()  # what we made and nobody undid: live masks, and links that are not loaded
    open: tuple[Request, ...] = ()  # open requests
    sign_offs: tuple[Request, ...] = ()  # break-glass changes that nobody has signed off
    types: frozenset[str] = frozenset(MASKABLE_TYPES)  # units for which people may ask
    instances: bool = True  # whether they may ask for instances of a template

    @property
    def entries(self) -> tuple[MaskEntry, ...]:
        """Every mask, ours first, then by host and unit."""
        found = [entry for view in self.host_views for entry in self._found(view)]
        seen = {entry.request.id for entry in found if entry.request}
        unseen = [one for one in self.ours if one.is_live_mask and one.id not in seen]
        others = [MaskEntry(one.target.host, str(one.target.unit), None, one) for one in unseen]
        whole = self._by_rollout([*found, *others])
        return tuple(
            sorted(whole, key=lambda entry: (entry.request is None, not entry.unrecorded, entry.host, entry.unit))
        )

    def can_ask_to_remove(self, mask: FoundMask) -> bool:
        """Whether `/unmask` can remove such a mask with approval; some units are refused by their name alone."""
        if mask.kind is not FileKind.MASK or not UnitName.is_sendable(mask.unit) or mask.folder not in _FOLDERS:
            return False
        unit = UnitName(mask.unit)
        is_admitted = unit.type in self.types.intersection(MASKABLE_TYPES) and (self.instances or not unit.is_instance)
        return is_admitted and not unit.is_template

    def _by_rollout(self, entries: list[MaskEntry]) -> Iterator[MaskEntry]:
        """One entry for each rollout instead of one for each mask that it made."""
        rollouts = {one.id: one for one in (*self.ours, *self.open) if one.rollout and one.is_live_mask}
        made: dict[str, list[MaskEntry]] = {name: [] for name in rollouts}
        for entry in entries:
            request = entry.request
            if request and request.ask.rollout in made:
                made[request.ask.rollout].append(entry)
            elif not request or request.id not in rollouts:
                yield entry
        for name, one in rollouts.items():
            yield MaskEntry(one.target.host, str(one.target.unit), None, one, targets=tuple(made[name]))

    @property
    def waiting(self) -> tuple[Request, ...]:
        """Requests that wait for people or for their turn, longest first."""
        return self._at(Stage.ASKED, Stage.WAITING, Stage.APPROVED)

    @property
    def running(self) -> tuple[Request, ...]:
        """Requests that run, or whose outcome is unknown."""
        return self._at(Stage.RUNNING)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that the next on-call has to know."""
        return not (self.open or self.sign_offs or any(entry.is_ours for entry in self.entries))

    def _at(self, *stages: Stage) -> tuple[Request, ...]:
        rollouts = {one.id for one in self.open if one.rollout}
        found = (one for one in self.open if one.stage in stages and one.ask.rollout not in rollouts)
        return tuple(sorted(found, key=lambda one: (one.asked_at, one.id)))

    def _found(self, view: HostView) -> Iterator[MaskEntry]:
        """Each mask of the newest scan; one of ours without a live request has been undone since."""
        mine = [one for one in self.ours if one.target.host == view.host and not one.ask.change.user]
        by_id = {one.id: one for one in mine}
        by_link = {(made.path, made.identity): one for one in mine if (made := one.target.made)}
        for mask in view.scan.masks if view.scan else ():
            owner = view.ours.get(mask.path)
            request = by_link.get((mask.path, mask.identity)) or by_id.get(owner or "")
            if request or not owner:
                lost = None if request else view.unrecorded.get(mask.path)
                yield MaskEntry(view.host, mask.unit, mask, request, unrecorded=lost)
