"""Edits of unit files that systemd has not loaded yet: the next daemon-reload applies them, whoever asks for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from bot.core.systemd.output import Record, is_unit, read_flag, read_list, read_number, read_records, read_unit, require
from bot.core.systemd.properties import SHOWN_OF_EDITED
from bot.core.systemd.search_path import rank
from bot.core.systemd.units import UNIT_TYPES, LoadState
from bot.errors import HostileOutput

BESIDES, FRESH = "edited-besides", "fresh"
SECTIONS = ("edited", "edited-for-many", "there")
_WITH_FILES = ("service", "socket", "timer", "path")
_MASK = "/dev/null"
_BESIDE = ("fstab", "crypttab", "generators", "system.conf")  # what a reload reads beside unit files


def pending_reload(found: Mapping[str, Sequence[str]], states: Sequence[Record]) -> frozenset[str]:
    """Units whose files have changed or gone since systemd loaded them.

    A template stands for its instances; `*.service` and `web-*.service` stand for all units whose names are like that,
    which is what drop-ins of `service.d` and of `web-.service.d` are for (systemd.unit(5)).
    """
    fresh = [line.partition("|")[::2] for line in found.get(FRESH, ())]
    loaded = {state["Id"] for state in states}
    edited = {
        read_unit(require(unit, "Id"))
        for unit in read_records(found["edited"], SHOWN_OF_EDITED)
        if require(unit, "LoadState") != LoadState.MASKED
        and (read_flag(require(unit, "NeedDaemonReload")) or (unit["Id"] in loaded and _has_unread(unit, fresh)))
    }
    many = set(map(_read_many, found["edited-for-many"]))
    alone = {*edited, *_deleted(found["there"], states)}
    return frozenset({*many, *(unit for unit in alone if not is_among(unit, many))})


def unidentified_edits(found: Mapping[str, Sequence[str]]) -> int:
    """The number of further changed files whose units the look has not identified."""
    return read_number(next(iter(found.get(BESIDES, ())), ""))


def _has_unread(unit: Record, files: Iterable[tuple[str, str]]) -> bool:
    """Whether a changed file is the unit's, and systemd has loaded the unit without it.

    Of a new directory of drop-ins and of a new file that overrides one, NeedDaemonReload says nothing (measured).
    """
    names, fragment = {unit["Id"], *read_list(unit.get("Names", ""))}, unit.get("FragmentPath", "")
    drop_ins = read_list(unit.get("DropInPaths", ""))
    for path, goal in files:
        file = PurePosixPath(path)
        if file.parent.suffix == ".d":
            is_unread = file.parent.stem in names and path not in drop_ins
        else:  # a link to another name is an alias, and no file of the unit
            is_own = file.name == unit["Id"] and (not goal or goal == _MASK or PurePosixPath(goal).name == file.name)
            is_unread = is_own and bool(fragment) and rank(path) < rank(fragment)
        if is_unread:
            return True
    return False


def _read_many(name: str) -> str:
    stem, star, kind = name.partition("*.")
    is_like_that = star and kind in UNIT_TYPES and (not stem or is_unit(f"{stem}.{kind}"))
    if not (name in _BESIDE or is_unit(name) or is_like_that):
        raise HostileOutput("The host's answer has something else than the name of a unit.")
    return name


def is_among(unit: str, edited: Iterable[str]) -> bool:
    """Whether one of these edits is of this unit, by its name or with others."""
    stem, _, kind = unit.rpartition(".")
    template = f"{stem.partition('@')[0]}@.{kind}"
    for name in edited:
        first, star, of_kind = name.partition("*.")
        if name in (unit, template) or (star and of_kind == kind and unit.startswith(first)):
            return True
    return False


def _deleted(there: Sequence[str], states: Sequence[Record]) -> Iterator[str]:
    """Loaded units without a file under their own name or their template's, if the files were read."""
    files = set(there)
    for unit in states if files else ():
        stem, _, kind = unit["Id"].rpartition(".")
        template = f"{stem.partition('@')[0]}@.{kind}"
        if unit["LoadState"] == LoadState.LOADED and kind in _WITH_FILES and not files & {unit["Id"], template}:
            yield unit["Id"]
