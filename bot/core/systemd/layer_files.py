"""The files at each layer's path for a unit: before a reload systemd does not know them, and then only one of them."""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.systemd.output import read_record, require
from bot.core.systemd.search_path import SYSTEM, folder_of, rank
from bot.core.systemd.units import FileKind, Layer, LayerFile, OtherFile
from bot.errors import HostError, HostileOutput

# As in `systemctl.STAT_FORMAT`; without a locale stat(1) quotes like a shell.
FILE = re.compile(
    r"(?P<kind>[a-z ]+)\|(?P<size>\d+)\|(?P<identity>\d+:[\d.]+)\|'(?P<path>/[^']*)'(?: -> (?P<goal>.+))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class UnitFiles:
    """The files of a unit's name: one for each layer, and those in other directories of the search path."""

    layers: tuple[LayerFile, ...]
    elsewhere: tuple[OtherFile, ...]


def read_files(found: Mapping[str, Sequence[str]]) -> UnitFiles:
    """Read every layer's file, and files of the same name in other directories of the search path.

    A line for `/` must come first, for without it stat(1) was not allowed to read anything.
    """
    where = read_record(found["layers"], tuple(Layer))
    name = posixpath.basename(require(where, Layer.PERSISTENT))
    others = [path for folder in SYSTEM if (path := f"{folder}/{name}") not in where.values()]
    files: dict[str, re.Match[str]] = {}
    for line in found["files"]:
        file = FILE.fullmatch(line)
        if file is None or file["path"] in files or file["path"] not in ("/", *where.values(), *others):
            raise HostileOutput("The host's answer has a file that was not asked for.")
        files[file["path"]] = file
    if "/" not in files:
        raise HostError("The bot may not see that user's folders.", code="sudo_denied")
    layers = tuple(_layer_file(layer, require(where, layer), files.get(require(where, layer))) for layer in Layer)
    return UnitFiles(layers, tuple(OtherFile(path, *read_kind(files[path])) for path in others if path in files))


def found_at(fragment: str, files: Iterable[LayerFile | OtherFile]) -> str:
    """The path on the search path at which systemd found the unit.

    Systemd 247 shows where a link leads instead, and so /dev/null for each mask (measured). The first of the links that
    lead there is then the one that counts.
    """
    if not fragment or folder_of(fragment) in SYSTEM:
        return fragment
    links = sorted(
        (file for file in files if _goal(file.path, file.target) == fragment), key=lambda one: rank(one.path)
    )
    return links[0].path if links else fragment


def _goal(path: str, target: str) -> str:
    """Where a link leads; empty for anything else."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else ""


def _layer_file(layer: Layer, path: str, file: re.Match[str] | None) -> LayerFile:
    if file is None:
        return LayerFile(layer, path, FileKind.ABSENT)
    kind, goal = read_kind(file)
    return LayerFile(layer, path, kind, target=goal, identity=file["identity"])


def read_kind(file: re.Match[str]) -> tuple[FileKind, str]:
    """The kind of file, and its target if it is a link; a relative link may lead to /dev/null as well."""
    goal = (file["goal"] or "").removeprefix("'").removesuffix("'")
    match file["kind"]:
        case "symbolic link":
            return (FileKind.MASK if _goal(file["path"], goal) == "/dev/null" else FileKind.LINK), goal
        case "regular empty file":
            return FileKind.EMPTY, goal
        case "regular file":
            return FileKind.FILE, goal
        case _:
            return FileKind.OTHER, goal
