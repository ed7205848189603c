"""What systemd says of a unit and of those around it, and the further names that it has on the disk."""

import os
import stat
import time
from collections.abc import Iterable, Mapping

from bot.core.systemd.host_rules import (
    END_ACTIONS,
    END_STARTS,
    NEEDED_BY,
    RIVALS,
    STARTS_TOO,
    STOPS_TOO,
    is_unit_name,
    reached,
)
from bot.edges.guard.bus import properties
from bot.edges.guard.logins import systemctl
from bot.edges.guard.process import Limit, Refused

_RELATIONS = (*dict.fromkeys((*STOPS_TOO, "TriggeredBy", "Triggers", *STARTS_TOO, *RIVALS, *NEEDED_BY)),)
_STATES = ("Id", "Names", "LoadState", "ActiveState", "FragmentPath", "StopWhenUnneeded")
_SHOWN = (*_STATES, *_RELATIONS, *END_ACTIONS, *END_STARTS)
_DOWN = ("inactive", "failed")
_MANY = 20
_MOST_FILES = 20_000
_MOST_UNITS = 3000
"""As many related units are asked about; a unit with more is one that cannot be judged."""


class Manager:
    """The system's own manager, or that of a user. `folders` are those of its search path that are there."""

    def __init__(self, user: str, folders: "list[str]") -> None:
        self.user = user
        self.folders = [folder for folder in folders if os.path.isdir(folder)]
        self._known: dict[str, dict[str, str]] = {}

    def show(self, units: "Iterable[str]", *, only_loaded: bool = False) -> "list[dict[str, str]]":
        """The properties of units, by name. Raises `Refused` if systemd does not say them.

        systemd reads a unit that is not loaded for the question, with all that it names, and forgets it again. With
        `only_loaded` such units among many are not asked about: they do not run, and nothing loaded refers to them.
        """
        named = list(dict.fromkeys(units))
        wanted = [unit for unit in named if unit not in self._known]
        if len(wanted) + len(self._known) > _MOST_UNITS:
            raise Refused("too many units depend on it to tell what would stop")
        if only_loaded and len(wanted) > _MANY:
            loaded = self._loaded()
            self._known.update((unit, _not_loaded(unit)) for unit in wanted if unit not in loaded)
            wanted = [unit for unit in wanted if unit in loaded]
        if wanted:
            self._known.update(zip(wanted, self._ask(wanted)))  # noqa: B905 - `strict` came with Python 3.10
        return [self._known[unit] for unit in named]

    def _loaded(self) -> "set[str]":
        """The names of all loaded units, as relations name them."""
        asked = systemctl(self.user, ["list-units", "--all", "--full", "--plain", "--no-legend"])
        if asked.code != 0:
            raise Refused("systemd does not say which units are loaded")
        return {line.lstrip("* ").partition(" ")[0] for line in asked.lines}

    def _ask(self, units: "list[str]") -> "list[dict[str, str]]":
        if not self.user and len(units) <= _MANY:
            try:
                return properties(units, _SHOWN)
            except (OSError, ValueError, IndexError):
                pass  # systemctl asks again, or says why not
        asked = systemctl(self.user, ["show", "-p", ",".join(_SHOWN), "--", *units])
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in _blocks(asked.out)]
        if asked.code != 0 or len(blocks) != len(units):
            raise Refused(f"systemd does not say what {units[0]} is")
        return blocks

    def result_of(self, unit: str) -> str:
        """How its last run ended."""
        return "".join(systemctl(self.user, ["show", "-p", "Result", "--value", "--", unit]).lines)

    def one(self, unit: str) -> "dict[str, str]":
        """The properties of one unit."""
        return self.show([unit])[0]

    def closure(self, unit: str, relations: "Iterable[str]", *, only_down: bool = False) -> "list[str]":
        """Every other unit that these relations lead to; `only_down`: through units that do not run, for a start."""

        def related(level: "list[str]") -> "list[str]":
            found = [(name, self.one(name)) for name in level]
            going_on = [one for name, one in found if not only_down or name == unit or not is_up(one)]
            others = [other for one in going_on for relation in relations for other in names_in(one.get(relation, ""))]
            self.show(others, only_loaded=not only_down)
            return others

        return reached(unit, related)

    def names_of(self, found: "dict[str, str]") -> "list[str]":
        """All names: what systemd says, and the links on the disk that lead to it, which a masked unit has lost."""
        names = dict.fromkeys([found.get("Id", ""), *names_in(found.get("Names", ""))])
        entries = self._entries()
        goals = {entry: os.readlink(entry.path).rpartition("/")[2] for entry in entries if entry.is_symlink()}
        real = _file_of(found, entries)
        for entry in goals:
            if time.monotonic() > Limit.end:
                raise Refused("it takes too long to tell by which names it is called")
            try:
                is_same = real is not None and os.path.samestat(os.stat(entry.path), real)
            except OSError:
                is_same = False
            if is_same:
                names[entry.name] = None
        called: dict[str, list[str]] = {}
        for entry, goal in goals.items():
            called.setdefault(goal, []).append(entry.name)
        nearer = dict(names)
        while nearer:
            nearer = dict.fromkeys(name for goal in nearer for name in called.get(goal, ()) if name not in names)
            names.update(nearer)
        for entry in entries:
            if real is not None and entry.inode() == real.st_ino and os.path.samestat(entry.stat(), real):
                names[entry.name] = None
        return [name for name in names if is_unit_name(name)]

    def _entries(self) -> "list[os.DirEntry[str]]":
        """All files in the folders, which belong to the user where it is about their manager: so there is a bound."""
        found: list[os.DirEntry[str]] = []
        for folder in self.folders:
            with os.scandir(folder) as entries:
                for entry in entries:
                    found.append(entry)
                    if len(found) > _MOST_FILES:
                        raise Refused(f"there are more than {_MOST_FILES} files in the folders of its units")
        return found


def _not_loaded(unit: str) -> "dict[str, str]":
    """What there is to say of a unit that does not run."""
    return {"Id": unit, "Names": unit, "LoadState": "loaded", "ActiveState": "inactive"}


def _file_of(found: "dict[str, str]", entries: "list[os.DirEntry[str]]") -> "os.stat_result | None":
    """The unit's own file; behind a mask, the first of its name on the search path."""
    paths = [found.get("FragmentPath", "")] + [entry.path for entry in entries if entry.name == found.get("Id")]
    for path in paths:
        try:
            one = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(one.st_mode) and one.st_size:
            return one
    return None


def _blocks(out: bytes) -> "list[str]":
    """The properties of each unit, which `systemctl show` separates by empty lines."""
    text = out.decode("utf-8", "replace").strip("\n")
    return text.split("\n\n") if text else []


def names_in(value: str) -> "list[str]":
    """Names of units in one value; those with a backslash come quoted, and double it."""
    return [word.strip('"').replace("\\\\", "\\") for word in value.split()]


def is_up(found: "Mapping[str, str]") -> bool:
    """Whether anything of the unit runs, starts or stops."""
    return found.get("ActiveState") not in _DOWN


def runs_on(found: "Mapping[str, str]") -> bool:
    """Whether the unit is up, and not about to be down."""
    return is_up(found) and found.get("ActiveState") != "deactivating"
