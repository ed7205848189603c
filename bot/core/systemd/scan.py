"""A scan of one host: every mask of its system manager, whoever made it, and the states of the masked units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from bot.core.systemd.config_management import AGENTS, agents
from bot.core.systemd.fields import from_key, records_of
from bot.core.systemd.guard import Argv
from bot.core.systemd.layer_files import FILE, read_kind
from bot.core.systemd.output import (
    SCAN,
    failure,
    is_unit,
    read_active,
    read_load,
    read_machine_id,
    read_number,
    read_record,
    read_unit,
    require,
    sections,
)
from bot.core.systemd.scan_script import FOLDERS, MOST
from bot.core.systemd.systemctl import asked_of_guard
from bot.core.systemd.units import ActiveState, FileKind, LoadState
from bot.errors import HostError, HostileOutput

_SECTIONS = ("host", "counts", "masks", "states", "agents", "failed-units")
_MASKS = (FileKind.MASK, FileKind.EMPTY, FileKind.LINK)
_IDENTITY = re.compile(r"\d{1,20}:\d{1,11}\.\d{9}", re.ASCII)
_BOOT_ID = re.compile(r"[0-9a-f-]{36}")
_FILE_STATE = re.compile(r"[a-z-]{0,20}")


@dataclass(frozen=True, slots=True)
class FoundMask:
    """A mask as it was found; `identity` is that of `LayerFile`. A template has no states of its own."""

    path: str
    kind: FileKind  # LINK: it leads to another mask, or to another device than /dev/null
    identity: str
    load: LoadState | None = None
    active: ActiveState | None = None
    file_state: str = ""

    @property
    def unit(self) -> str:
        """The name that is masked."""
        return PurePosixPath(self.path).name

    @property
    def folder(self) -> str:
        """The directory of the mask."""
        return str(PurePosixPath(self.path).parent)

    @property
    def made_at(self) -> datetime:
        """When the link was made or last changed, by the host's own clock."""
        return datetime.fromtimestamp(int(self.identity.partition(":")[2].partition(".")[0]), UTC)


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan. Masks are counted, and listed up to a limit; those of packages are only counted."""

    machine_id: str
    boot_id: str
    masks: tuple[FoundMask, ...] = ()
    total: int = 0
    vendor: int = 0
    agents: tuple[str, ...] = ()  # configuration management that runs on the host
    failed: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all masks are listed."""
        return len(self.masks) >= self.total

    def at(self, path: str) -> FoundMask | None:
        """The mask at that path."""
        return next((mask for mask in self.masks if mask.path == path), None)


def _read_file_state(value: str) -> str:
    return _fitting(_FILE_STATE, value)


@dataclass(frozen=True, slots=True)
class _States:
    """The states of a unit that has a mask, and of one that may be configuration management."""

    id: str = from_key("Id", str, "")
    load: LoadState = from_key("LoadState", read_load)
    active: ActiveState = from_key("ActiveState", read_active)
    file_state: str = from_key("UnitFileState", _read_file_state)


_read_states = records_of(_States)


def scan_argv() -> Argv:
    """The command. It needs no root, and takes some 100 ms on the host."""
    return asked_of_guard("scan")


def parse_scan(stdout: str) -> Scan:
    """Parse the output strictly. Raises `HostError` and `HostileOutput` like `parse_look`."""
    found = sections(stdout, (*_SECTIONS, "failed"), first=SCAN)
    if "failed" in found:
        raise failure(found["failed"])
    for name in _SECTIONS:
        if name not in found:
            raise HostError("The host's answer lacks a part.", code="incomplete_observation", passing=True)
    host = read_record(found["host"], ("machine_id", "boot_id"))
    counts = read_record(found["counts"], ("masks", "vendor"))
    masks = _masks(found["masks"], _read_states(found["states"]))
    return Scan(
        machine_id=read_machine_id(require(host, "machine_id")),
        boot_id=_fitting(_BOOT_ID, require(host, "boot_id")),
        masks=masks,
        total=max(read_number(require(counts, "masks")), len(masks)),
        vendor=read_number(require(counts, "vendor")),
        agents=agents(_asked_for(found["agents"])),
        failed=_failed_units(found["failed-units"]),
    )


def _masks(lines: Sequence[str], states: Sequence[_States]) -> tuple[FoundMask, ...]:
    """Each file with the states of its unit, in the order in which both were printed; by path."""
    files = [_file(line) for line in lines]
    if len(files) > MOST or len({file.path for file in files}) < len(files):
        raise HostileOutput("The host's answer has more masks than were asked for, or one twice.")
    having_states = [file for file in files if "@." not in file.unit]
    if len(having_states) != len(states):
        raise HostError("The host's answer lacks the states of a unit.", code="incomplete_observation", passing=True)
    known = {file.path: state for file, state in zip(having_states, states, strict=True)}
    return tuple(_with_states(file, known.get(file.path)) for file in sorted(files, key=lambda file: file.path))


def _file(line: str) -> FoundMask:
    file = FILE.fullmatch(line)
    if file is None:
        raise HostileOutput("The host's answer has something other than a mask.")
    mask = FoundMask(file["path"], read_kind(file)[0], _fitting(_IDENTITY, file["identity"]))
    if mask.folder not in FOLDERS or mask.kind not in _MASKS or not is_unit(mask.unit):
        raise HostileOutput("The host's answer has a mask where none was looked for.")
    return mask


def _with_states(file: FoundMask, state: _States | None) -> FoundMask:
    return replace(file, load=state.load, active=state.active, file_state=state.file_state) if state else file


def _asked_for(lines: Sequence[str]) -> dict[str, _States]:
    """The states of each unit by the name asked for, which may be an alias of another unit."""
    units = _read_states(lines)
    if len(units) != len(AGENTS):
        raise HostError("The host's answer lacks a unit.", code="incomplete_observation", passing=True)
    return dict(zip(AGENTS, units, strict=True))


def _failed_units(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) > MOST:
        raise HostileOutput("The host's answer has more failed units than were asked for.")
    return tuple(sorted({read_unit(require(read_record([line], ("Id",)), "Id")) for line in lines}))


def _fitting(form: re.Pattern[str], value: str) -> str:
    if not form.fullmatch(value):
        raise HostileOutput("The host's answer has a value that the scan cannot have printed.")
    return value
