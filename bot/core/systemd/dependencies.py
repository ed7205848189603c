"""Dependencies of a unit, computed from the states of all loaded units and the relations of the units related to it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from bot.core.systemd.config_management import agents
from bot.core.systemd.host_rules import STOPS_TOO, reached
from bot.core.systemd.output import Record, is_unit, read_actions, read_turn, read_unit, read_units, require
from bot.core.systemd.units import ActiveState, LoadState, RelatedUnit, Snapshot, UnitName
from bot.errors import HostileOutput

_NEAR = 3
_UP = (ActiveState.ACTIVE, ActiveState.RELOADING)
_MOVING = (ActiveState.ACTIVATING, ActiveState.DEACTIVATING)
_COMES_AND_GOES = re.compile(
    r"(user|user-runtime-dir)@|user-|session-|run-|systemd-\w+d\.service|polkit|packagekit|dbus-|.*\.(scope|device|mount|slice)\Z"
)
_STATES = ("Id", "LoadState", "ActiveState", "SubState")


class UnitGraph:
    """All loaded units of one manager, by each known name.

    `units` are the unit itself and its related units with their relations, `states` the states of all.
    """

    def __init__(self, units: Iterable[Record], states: Iterable[Record] = ()) -> None:
        self._by_name: dict[str, Record] = {}
        self._all: dict[str, Record] = {_id(unit): unit for unit in states}
        self._all |= {_id(unit): unit for unit in units}
        for own, unit in self._all.items():
            self._by_name[own] = unit
        for unit in list(self._all.values()):
            for name in read_units(unit.get("Names", "")):
                self._by_name.setdefault(name, unit)

    def would_stop(self, unit: str) -> tuple[RelatedUnit, ...]:
        """Every unit that stops with this one, directly or indirectly, whether it is active now or not."""
        stopped = reached(unit, lambda names: [one for name in names for one in self._related(name, *STOPS_TOO)])
        return tuple(self._related_unit(name) for name in sorted(stopped))

    def named(self, units: Iterable[str]) -> tuple[RelatedUnit, ...]:
        """These units in their present state; a unit that is not loaded is inactive."""
        return tuple(self._related_unit(name) for name in sorted(set(units)))

    def triggers(self, unit: str) -> tuple[RelatedUnit, ...]:
        """The triggers of the unit: sockets, timers, paths."""
        return tuple(self._related_unit(name) for name in sorted(set(self._related(unit, "TriggeredBy"))))

    def starts(self, unit: str) -> tuple[RelatedUnit, ...]:
        """The units that this one starts, if it is a socket, a timer or a path."""
        return tuple(self._related_unit(name) for name in sorted(set(self._related(unit, "Triggers"))))

    def members(self, unit: UnitName) -> tuple[RelatedUnit, ...]:
        """Related loaded instances: of `foo@.service` for `foo.service`, and the siblings of an instance."""
        stem = unit.text.removesuffix(f".{unit.type}").partition("@")[0]
        found = [
            name
            for name in self._all
            if name.startswith(f"{stem}@") and name.endswith(f".{unit.type}") and name != str(unit)
        ]
        return tuple(self._related_unit(name) for name in sorted(found))

    def failed(self) -> tuple[str, ...]:
        """All units in failed state."""
        return tuple(sorted(name for name, found in self._all.items() if found.get("ActiveState") == "failed"))

    def up(self) -> tuple[str, ...]:
        """All units that run, except short-lived ones and those of logins."""
        return self._in(_UP)

    def moving(self) -> tuple[str, ...]:
        """All units that start or stop now: a unit that crashes in a loop is among them, or is up."""
        return self._in(_MOVING)

    def _in(self, states: Collection[str]) -> tuple[str, ...]:
        found = (name for name, unit in self._all.items() if unit.get("ActiveState") in states)
        return tuple(sorted(name for name in found if not _COMES_AND_GOES.match(name)))

    def agents(self) -> tuple[str, ...]:
        """Configuration management that runs here."""
        return agents(self._by_name)

    def names(self) -> Iterator[str]:
        """Every name of a loaded unit that exists."""
        return (name for name, unit in self._by_name.items() if unit.get("LoadState") != LoadState.NOT_FOUND)

    def _related(self, name: str, *relations: str) -> Iterator[str]:
        unit = self._by_name.get(name, {})
        for relation in relations:
            for other in read_units(unit.get(relation, "")):
                yield _id(self._by_name[other]) if other in self._by_name else other

    def _related_unit(self, name: str) -> RelatedUnit:
        return read_related_unit(
            self._by_name.get(name) or {"Id": name, "LoadState": "stub", "ActiveState": "inactive"}
        )


def read_states(lines: Sequence[str]) -> Iterator[Record]:
    """The states of each unit in the list of all: name, load state, active state, sub state."""
    for line in lines:
        words = line.split(" ")
        if len(words) != len(_STATES):
            raise HostileOutput("The host's answer has something other than the states of a unit.")
        yield dict(zip(_STATES, words, strict=True))


def read_related_unit(unit: Record) -> RelatedUnit:
    """Another unit's state."""
    try:
        load, active = LoadState(require(unit, "LoadState")), ActiveState(require(unit, "ActiveState"))
    except ValueError:
        raise HostileOutput("The host's answer has a state that systemd does not have.") from None
    return RelatedUnit(
        unit=_id(unit),
        names=frozenset((_id(unit), *read_units(unit.get("Names", "")))),
        load=load,
        active=active,
        sub=unit.get("SubState", ""),
        file_state=unit.get("UnitFileState", ""),
        invocation=unit.get("InvocationID", ""),
        job=unit.get("Job", ""),
        actions=read_actions(unit),
        next_turn=read_turn(unit),
    )


def other_units(unit: Snapshot) -> Mapping[str, RelatedUnit]:
    """Every other unit that a full look saw, by name."""
    around = unit.around
    seen = (*around.others, *around.would_stop, *around.triggers, *around.members, *around.starts) if around else ()
    return {other.unit: other for other in seen}


def near_names(asked: UnitName, known: Iterable[str]) -> tuple[str, ...]:
    """Similar names of the same type of unit. Not every file in a unit directory is a unit."""
    same = [name for name in known if is_unit(name) and name.endswith(f".{asked.type}") and "@." not in name]
    stems: Mapping[str, str] = {name.removesuffix(f".{asked.type}"): name for name in same}
    stem = asked.text.removesuffix(f".{asked.type}")
    return tuple(stems[found] for found in get_close_matches(stem, stems, n=_NEAR, cutoff=0.6))


def _id(unit: Record) -> str:
    return read_unit(require(unit, "Id"))
