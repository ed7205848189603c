"""Compare other units on a host before and after a change: nobody can tell for sure whether the change caused it."""

from collections.abc import Iterator

from bot.core.systemd.dependencies import other_units
from bot.core.systemd.units import Snapshot


def went_down(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Units that ran and do not run any more, except the unit itself and those known to stop with it."""
    return _of_others(before, {*up(before)} - {*up(after), *moving(after)}) if _are_full(before, after) else ()


def came_up(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Units that run and did not, except the unit itself and related ones."""
    return _of_others(before, {*up(after)} - {*up(before), *moving(before)}) if _are_full(before, after) else ()


def up(seen: Snapshot) -> tuple[str, ...]:
    """All units that run; only a full look knows."""
    return seen.around.up if seen.around else ()


def moving(seen: Snapshot) -> tuple[str, ...]:
    """A unit that crashes in a loop is up at one look and starting at the next: neither is a difference."""
    return seen.around.moving if seen.around else ()


def _are_full(before: Snapshot, after: Snapshot) -> bool:
    """Whether both looks listed all units; older records do not have the list."""
    return bool(up(before) and up(after))


def _of_others(before: Snapshot, units: set[str]) -> tuple[str, ...]:
    return tuple(sorted(units - {*_related(before)}))


def _related(before: Snapshot) -> Iterator[str]:
    yield from (str(before.id), *before.names, *before.twins)
    for other in other_units(before).values():
        yield from (other.unit, *other.names)
