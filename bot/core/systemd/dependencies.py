"""Dependencies of a unit, computed from the states of all loaded units and the relations of the units related to it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches

from bot.core.systemd.config_management import agents
from bot.core.systemd.host_rules import reached
from bot.core.systemd.shown_unit import ListedUnit, ShownUnit
from bot.core.systemd.units import ActiveState, LoadState, RelatedUnit, Snapshot, UnitName
from bot.errors import HostileOutput

_NEAR = 3
_UP = (ActiveState.ACTIVE, ActiveState.RELOADING)
_MOVING = (ActiveState.ACTIVATING, ActiveState.DEACTIVATING)
_COMES_AND_GOES = re.compile(
    r"(user|user-runtime-dir)@|user-|session-|run-|systemd-\w+d\.service|polkit|packagekit|dbus-|.*\.(scope|device|mount|slice)\Z"
)


class UnitGraph:
    """All loaded units of one manager, by each known name.

    `shown` are the unit itself and its related units with their relations, `listed` all units with their states.
    """

    def __init__(self, shown: Iterable[ShownUnit], listed: Iterable[ListedUnit] = ()) -> None:
        known = tuple(shown)
        self._all: dict[str, ShownUnit | ListedUnit] = {unit.id: unit for unit in listed}
        self._all.update((unit.id, unit) for unit in known)
        self._by_name = {**{name: unit for unit in reversed(known) for name in unit.names}, **self._all}

    def would_stop(self, unit: str) -> tuple[RelatedUnit, ...]:
        """Every unit that stops with this one, directly or indirectly, whether it is active now or not."""
        return self.named(reached(unit, lambda names: [one for name in names for one in self._stops_too(name)]))

    def _stops_too(self, name: str) -> Iterator[str]:
        unit = self._by_name.get(name)
        return self._ids(unit.stops_too) if isinstance(unit, ShownUnit) else iter(())

    def named(self, units: Iterable[str]) -> tuple[RelatedUnit, ...]:
        """These units in their present state; a unit that is not loaded is inactive."""
        return tuple(_related(name, self._by_name.get(name)) for name in sorted(set(units)))

    def triggers(self, unit: ShownUnit) -> tuple[RelatedUnit, ...]:
        """The triggers of the unit: sockets, timers, paths."""
        return self.named(self._ids(unit.triggered_by))

    def starts(self, unit: ShownUnit) -> tuple[RelatedUnit, ...]:
        """The units that this one starts, if it is a socket, a timer or a path."""
        return self.named(self._ids(unit.triggers))

    def _ids(self, names: Iterable[str]) -> Iterator[str]:
        return (self._by_name[name].id if name in self._by_name else name for name in names)

    def members(self, unit: UnitName) -> tuple[RelatedUnit, ...]:
        """Related loaded instances: of `foo@.service` for `foo.service`, and the siblings of an instance."""
        stem = unit.text.removesuffix(f".{unit.type}").partition("@")[0]
        found = [
            name
            for name in self._all
            if name.startswith(f"{stem}@") and name.endswith(f".{unit.type}") and name != str(unit)
        ]
        return self.named(found)

    def failed(self) -> tuple[str, ...]:
        """All units in failed state."""
        return tuple(sorted(name for name, found in self._all.items() if found.active is ActiveState.FAILED))

    def up(self) -> tuple[str, ...]:
        """All units that run, except short-lived ones and those of logins."""
        return self._in(_UP)

    def moving(self) -> tuple[str, ...]:
        """All units that start or stop now: a unit that crashes in a loop is among them, or is up."""
        return self._in(_MOVING)

    def _in(self, states: Collection[str]) -> tuple[str, ...]:
        found = (name for name, unit in self._all.items() if unit.active in states)
        return tuple(sorted(name for name in found if not _COMES_AND_GOES.match(name)))

    def agents(self) -> tuple[str, ...]:
        """Configuration management that runs here."""
        return agents(self._by_name)

    def names(self) -> Iterator[str]:
        """Every name of a loaded unit that exists."""
        return (name for name, unit in self._by_name.items() if unit.load is not LoadState.NOT_FOUND)


def _related(name: str, unit: ShownUnit | ListedUnit | None) -> RelatedUnit:
    """A unit as another one's surroundings name it; of one that is only listed, its states are known."""
    if unit is None:
        return RelatedUnit(name, frozenset({name}), LoadState.STUB, ActiveState.INACTIVE)
    if unit.load is None or unit.active is None:
        raise HostileOutput("The host's answer has a state that systemd does not have.")
    if isinstance(unit, ListedUnit):
        return RelatedUnit(unit.id, frozenset({unit.id}), unit.load, unit.active, unit.sub)
    return RelatedUnit(
        unit=unit.id,
        names=frozenset((unit.id, *unit.names)),
        load=unit.load,
        active=unit.active,
        sub=unit.sub,
        file_state=unit.file_state,
        invocation=unit.invocation,
        job=unit.job,
        actions=unit.actions,
        next_turn=unit.next_turn,
    )


def other_units(unit: Snapshot) -> Mapping[str, RelatedUnit]:
    """Every other unit that a full look saw, by name."""
    around = unit.around
    seen = (*around.others, *around.would_stop, *around.triggers, *around.members, *around.starts) if around else ()
    return {other.unit: other for other in seen}


def near_names(asked: UnitName, known: Iterable[str]) -> tuple[str, ...]:
    """Similar names of the same type of unit."""
    same = sorted({name for name in known if name.endswith(f".{asked.type}") and "@." not in name})
    stems: Mapping[str, str] = {name.removesuffix(f".{asked.type}"): name for name in same}
    stem = asked.text.removesuffix(f".{asked.type}")
    return tuple(stems[found] for found in get_close_matches(stem, stems, n=_NEAR, cutoff=0.6))
