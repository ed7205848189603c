"""Other names of a unit: aliases that a mask covers, and names by which the same program can still be started."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.core.systemd.fields import from_key
from bot.core.systemd.output import read_load, read_unit
from bot.core.systemd.units import LoadState, Snapshot, UnitName


@dataclass(frozen=True, slots=True)
class LoadedUnit:
    """A unit as systemd describes it when asked by a name."""

    id: str = from_key("Id", read_unit)
    load: LoadState = from_key("LoadState", read_load)


def twins(own: UnitName, loads: Mapping[str, LoadedUnit], linked: Collection[str] = ()) -> tuple[str, ...]:
    """Names that start the same file, and that no mask of this unit covers (measured).

    These are units of their own (the file is linked twice, or has two names), and an instance by a second name of its
    template. An instance that is itself a link to this one (`linked`) is an alias like others (measured).
    """
    found = (
        name
        for name, other in loads.items()
        if _can_be_started(other) and not (_is_alias(own, name, other) or (name in linked and other.id == own.text))
    )
    return tuple(sorted(found))


def _can_be_started(other: LoadedUnit) -> bool:
    return other.load not in (LoadState.MASKED, LoadState.ERROR, LoadState.NOT_FOUND)


def _is_alias(own: UnitName, name: str, other: LoadedUnit) -> bool:
    if name == own.text:
        return True
    is_second_name_of_template = own.is_instance and name.partition("@")[0] != own.text.partition("@")[0]
    return other.id == own.text and not is_second_name_of_template


def subject(seen: Snapshot) -> UnitName:
    """The unit whose layers were read: the real Id, except for a name that has a mask of its own.

    A masked instance that was started by a second name of its template has that name's Id, and the mask is still there.
    """
    return UnitName(PurePosixPath(seen.layers[0].path).name)


def startable(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    """Every other name that a mask should cover: the present names, and those that only the earlier look knew."""
    own = {str(now.id), str(subject(now))}
    names = {*now.names, *(before.names if before else ())}
    uncovered = {*now.twins, *(before.twins if before else ())}
    return (name for name in sorted(names - own - uncovered) if UnitName.is_sendable(name) and "\\" not in name)


def unread(seen: Snapshot) -> str:
    """The target of an alias link that systemd has not loaded yet and reports as an error (measured)."""
    if seen.load is not LoadState.ERROR:
        return ""
    real = PurePosixPath(seen.fragment).name
    return real if real in seen.twins else ""
