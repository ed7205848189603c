"""What else runs on a host, before a change and after it: nobody can tell for sure whether the change did it."""

from collections.abc import Iterator

from bot.core.systemd.dependencies import seen_beside
from bot.core.systemd.units import Snapshot


def went_down(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Units that ran and do not run any more, beside the unit itself and what is known to stop with it."""
    return _of_others(before, {*up(before)} - {*up(after), *_moving(after)}) if _are_full(before, after) else ()


def came_up(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Units that run and did not, beside the unit itself and what has to do with it."""
    return _of_others(before, {*up(after)} - {*up(before), *_moving(before)}) if _are_full(before, after) else ()


def up(seen: Snapshot) -> tuple[str, ...]:
    """All units that run; only a full look knows."""
    return seen.around.up if seen.around else ()


def _moving(seen: Snapshot) -> tuple[str, ...]:
    """What crashes in a loop is up at one look and on its way at the next: neither is news."""
    return seen.around.moving if seen.around else ()


def _are_full(before: Snapshot, after: Snapshot) -> bool:
    """A record from before this was looked at says nothing."""
    return bool(up(before) and up(after))


def _of_others(before: Snapshot, units: set[str]) -> tuple[str, ...]:
    return tuple(sorted(units - {*_related(before)}))


def _related(before: Snapshot) -> Iterator[str]:
    yield from (str(before.id), *before.names, *before.twins)
    for other in seen_beside(before).values():
        yield from (other.unit, *other.names)
