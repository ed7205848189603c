"""Edits of unit files that systemd has not loaded yet: the next daemon-reload applies them, whoever asks for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.core.systemd.fields import from_key, records_of
from bot.core.systemd.output import is_unit, read_flag, read_list, read_load, read_number, read_unit
from bot.core.systemd.search_path import rank
from bot.core.systemd.shown_unit import ListedUnit
from bot.core.systemd.units import UNIT_TYPES, LoadState
from bot.errors import HostileOutput

_WITH_FILES = ("service", "socket", "timer", "path")
_MASK = "/dev/null"
_BESIDE = ("fstab", "crypttab", "generators", "system.conf")  # what a reload reads beside unit files


@dataclass(frozen=True, slots=True)
class _EditedUnit:
    """A unit with a changed file, and the files that systemd has loaded of it."""

    id: str = from_key("Id", read_unit)
    load: LoadState = from_key("LoadState", read_load)
    needs_reload: bool = from_key("NeedDaemonReload", read_flag)
    names: tuple[str, ...] = from_key("Names", read_list, "")
    fragment: str = from_key("FragmentPath", str, "")
    drop_ins: tuple[str, ...] = from_key("DropInPaths", read_list, "")


def _read_many(names: Sequence[str]) -> frozenset[str]:
    for name in names:
        stem, star, kind = name.partition("*.")
        is_like_that = star and kind in UNIT_TYPES and (not stem or is_unit(f"{stem}.{kind}"))
        if not (name in _BESIDE or is_unit(name) or is_like_that):
            raise HostileOutput("The host's answer has something else than the name of a unit.")
    return frozenset(names)


def _read_files(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((path, goal) for path, _, goal in (line.partition("|") for line in lines))


def _read_count(lines: Sequence[str]) -> int:
    return read_number("".join(lines[:1]))


@dataclass(frozen=True, slots=True)
class Edits:
    """What a full look found of files that changed since systemd loaded its units."""

    units: tuple[_EditedUnit, ...] = from_key("edited", records_of(_EditedUnit))
    for_many: frozenset[str] = from_key("edited-for-many", _read_many)
    files: tuple[tuple[str, str], ...] = from_key("fresh", _read_files, ())  # path, and where it leads if it is a link
    there: frozenset[str] = from_key("there", frozenset)  # every unit file, if one may have been removed
    besides: int = from_key("edited-besides", _read_count, ())  # further changed files, whose units are not known


def pending_reload(edits: Edits, listed: Sequence[ListedUnit]) -> frozenset[str]:
    """Units whose files have changed or gone since systemd loaded them.

    A template stands for its instances; `*.service` and `web-*.service` stand for all units whose names are like that,
    which is what drop-ins of `service.d` and of `web-.service.d` are for (systemd.unit(5)).
    """
    loaded = {unit.id for unit in listed}
    edited = {
        unit.id
        for unit in edits.units
        if unit.load is not LoadState.MASKED
        and (unit.needs_reload or (unit.id in loaded and _has_unread(unit, edits.files)))
    }
    alone = {*edited, *_deleted(edits.there, listed)}
    return edits.for_many.union(unit for unit in alone if not is_among(unit, edits.for_many))


def _has_unread(unit: _EditedUnit, files: Iterable[tuple[str, str]]) -> bool:
    """Whether a changed file is the unit's, and systemd has loaded the unit without it.

    Of a new directory of drop-ins and of a new file that overrides one, NeedDaemonReload says nothing (measured).
    """
    names = {unit.id, *unit.names}
    for path, goal in files:
        file = PurePosixPath(path)
        if file.parent.suffix == ".d":
            is_unread = file.parent.stem in names and path not in unit.drop_ins
        else:  # a link to another name is an alias, and no file of the unit
            is_own = file.name == unit.id and (not goal or goal == _MASK or PurePosixPath(goal).name == file.name)
            is_unread = is_own and bool(unit.fragment) and rank(path) < rank(unit.fragment)
        if is_unread:
            return True
    return False


def is_among(unit: str, edited: Iterable[str]) -> bool:
    """Whether one of these edits is of this unit, by its name or with others."""
    stem, _, kind = unit.rpartition(".")
    template = f"{stem.partition('@')[0]}@.{kind}"
    for name in edited:
        first, star, of_kind = name.partition("*.")
        if name in (unit, template) or (star and of_kind == kind and unit.startswith(first)):
            return True
    return False


def _deleted(files: frozenset[str], listed: Sequence[ListedUnit]) -> Iterator[str]:
    """Loaded units without a file under their own name or their template's, if the files were read."""
    for unit in listed if files else ():
        stem, _, kind = unit.id.rpartition(".")
        template = f"{stem.partition('@')[0]}@.{kind}"
        if unit.load is LoadState.LOADED and kind in _WITH_FILES and not files & {unit.id, template}:
            yield unit.id
