"""Load a unit from the model's disk: its file, its drop-ins, and whether it is masked."""

import posixpath
import re
from dataclasses import dataclass, field

from tests.model.files import GENERATED, NULL, SEARCH, Files, folder_of, read

STOPS_TOO = ("Requires", "Requisite", "BindsTo", "PartOf")
_SPAN = re.compile(r"(?P<number>\d+)(?P<unit>min|s|)")


@dataclass(slots=True)
class Loaded:
    """A unit as systemd loaded it last."""

    state: str = "not-found"
    fragment: str = ""
    settings: dict[str, list[str]] = field(default_factory=dict)
    drop_ins: list[str] = field(default_factory=list)
    file_state: str = ""  # also as of that time (measured)
    needs: frozenset[str] = frozenset()  # units whose stop stops this one

    def last(self, key: str, otherwise: str = "") -> str:
        """A setting with one value."""
        return (self.settings.get(key) or [otherwise])[-1]

    def names(self, *keys: str) -> list[str]:
        """All units that some settings name."""
        return [name for key in keys for value in self.settings.get(key, ()) for name in value.split()]


def load(files: Files, name: str, *, transient: bool = False) -> Loaded:
    """A unit as it is on the disk now."""
    found = Loaded("loaded", f"/run/systemd/transient/{name}") if transient else _parse(files, name)
    found.file_state = _file_state(files, name, transient=transient)
    found.needs = frozenset(found.names(*STOPS_TOO))
    return found


def resolve(files: Files, name: str) -> str:
    """The unit's real name."""
    goal = _leads_elsewhere(files, name, files.named(name))
    return resolve(files, posixpath.basename(goal)) if goal else name


def on_disk(files: Files) -> set[str]:
    """Every unit that has a file or a link, without templates."""
    paths = (path for path in files.entries if folder_of(path) in SEARCH)
    return {name for path in paths if "@." not in (name := posixpath.basename(path))}


def _parse(files: Files, name: str) -> Loaded:
    path = files.named(name)
    if not path:
        return Loaded()
    entry = files.entries[path]
    if entry.goal == NULL or (entry.goal == "" and entry.text == ""):
        return Loaded("masked", path)
    if goal := _leads_elsewhere(files, name, path):
        state = _parse(files, posixpath.basename(goal)).state
        return Loaded("error" if state == "masked" else state, path)
    drop_ins = files.drop_ins(name)
    text = "\n".join(map(files.text, [path, *drop_ins]))
    return Loaded("loaded", path, read(text), drop_ins)


def _leads_elsewhere(files: Files, name: str, path: str) -> str:
    """The target of an alias link; empty for a unit that has a file of its own."""
    goal = files.entries[path].goal if path else ""
    own = posixpath.basename(goal) == name or _is_instance_of(name, goal)
    return "" if goal in ("", NULL) or own else goal


def _file_state(files: Files, name: str, *, transient: bool) -> str:
    path = files.named(name)
    if not path:
        return "transient" if transient else ""
    entry = files.entries[path]
    if entry.goal == NULL:
        return "masked-runtime" if path.startswith("/run/") else "masked"
    if path.startswith(GENERATED):
        return "generated"
    if files.links_to(name):
        return "enabled"
    if entry.goal:
        return "linked"
    settings = read(entry.text)
    return "disabled" if settings.get("WantedBy") or settings.get("Alias") else "static"


def _is_instance_of(name: str, goal: str) -> bool:
    return "@" in name and "@" in goal and name.partition("@")[0] == posixpath.basename(goal).partition("@")[0]


def seconds(span: str) -> float:
    """A length of time in unit file syntax, as far as the lab's files use it."""
    found = _SPAN.fullmatch(span)
    if span == "infinity":
        return float("inf")
    assert found, span
    return int(found["number"]) * (60.0 if found["unit"] == "min" else 1.0)
