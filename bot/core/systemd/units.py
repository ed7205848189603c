"""The states that systemd gives to units, and the snapshot of one unit at one moment."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.side_effects import NextElapse, SideEffects
from bot.core.systemd.unit_names import UNIT_TYPES, UnitName

__all__ = [
    "UNIT_TYPES",
    "ActiveState",
    "FileKind",
    "Layer",
    "LayerFile",
    "LoadState",
    "RelatedUnit",
    "OtherFile",
    "Snapshot",
    "Surroundings",
    "UnitName",
]


class LoadState(StrEnum):
    """The load state: whether systemd has the unit's settings (systemd.unit(5), org.freedesktop.systemd1(5))."""

    STUB = "stub"
    LOADED = "loaded"
    NOT_FOUND = "not-found"
    BAD_SETTING = "bad-setting"
    ERROR = "error"
    MERGED = "merged"
    MASKED = "masked"


class ActiveState(StrEnum):
    """The active state: whether the unit runs."""

    ACTIVE = "active"
    RELOADING = "reloading"
    INACTIVE = "inactive"
    FAILED = "failed"
    ACTIVATING = "activating"
    DEACTIVATING = "deactivating"
    MAINTENANCE = "maintenance"
    REFRESHING = "refreshing"

    @property
    def is_down(self) -> bool:
        """Whether nothing of the unit runs, starts or stops."""
        return self in (ActiveState.INACTIVE, ActiveState.FAILED)


class Layer(StrEnum):
    """The directory of a mask; a mask in a lower layer does not hide a file in a higher one."""

    CONTROL = "control"  # /etc/systemd/system.control: masks even a unit whose own file is in /etc/systemd/system
    PERSISTENT = "persistent"  # /etc/systemd/system: what `systemctl mask` makes
    RUNTIME = "runtime"  # /run/systemd/system: what `systemctl mask --runtime` makes, gone after a reboot


class FileKind(StrEnum):
    """The kind of file at a layer's path for the unit."""

    ABSENT = "absent"
    MASK = "mask"  # a link to /dev/null
    EMPTY = "empty"  # an empty file: it masks too, and `systemctl unmask` would delete it
    LINK = "link"
    FILE = "file"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A layer's file for the unit; `identity` (device, inode, change time) tells our link from a later one."""

    layer: Layer
    path: str
    kind: FileKind
    target: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file of the unit's name in a directory of systemd's search path that is no layer."""

    path: str
    kind: FileKind
    target: str = ""


@dataclass(frozen=True, slots=True)
class RelatedUnit:
    """Another unit, as far as a change of this one affects it."""

    unit: str
    names: frozenset[str]
    load: LoadState
    active: ActiveState
    sub: str = ""
    file_state: str = ""
    invocation: str = ""
    job: str = ""  # the job that is queued for it
    actions: tuple[str, ...] = ()  # what its end does to the whole host: `SuccessAction=reboot-force`
    next_turn: NextElapse = NextElapse()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What only a full look sees: the contents of the unit's files, related units, the host, and our rights."""

    hostname: str
    boot_id: str
    systemd: str
    fragment_hash: str
    drop_ins: tuple[tuple[str, str], ...] = ()  # path and content hash of each
    would_stop: tuple[RelatedUnit, ...] = ()  # all units that stop with it, active or not
    triggers: tuple[RelatedUnit, ...] = ()  # its triggers: sockets, timers, paths
    upheld_by: tuple[RelatedUnit, ...] = ()  # units that restart it whenever it is down (Upholds=)
    starts: tuple[RelatedUnit, ...] = ()  # units that it starts, if it is a socket, timer or path
    members: tuple[RelatedUnit, ...] = ()  # related instances that could be started
    wants_links: tuple[tuple[str, str], ...] = ()  # path and target of each enablement link
    pending_reload: tuple[str, ...] = ()  # other units with edits that a daemon-reload would apply
    is_edited: bool = False  # the unit's own files have such edits
    pending_besides: int = 0  # further changed files, whose units the look has not identified
    others: tuple[RelatedUnit, ...] = ()  # further units in their present state, on request: a mask hides all relations
    failed: tuple[str, ...] = ()  # all units in failed state
    agents: tuple[str, ...] = ()  # configuration management that runs on the host, and may remove a mask
    login_units: frozenset[str] = frozenset()  # units that carry our own SSH login
    # affected units that listen, where it is not known which unit carries our login
    may_carry_us: frozenset[str] = frozenset()
    near: tuple[str, ...] = ()  # similar names, if the unit is not found
    rights: frozenset[str] = frozenset()  # the words of `guard.RIGHTS` that hold on the host
    spared: str = ""  # why the host's guard spares the unit, in its own words
    remembered: tuple[RememberedMask, ...] = ()  # masks of the unit that the guard made for the bot
    up: tuple[str, ...] = ()  # all units that run
    moving: tuple[str, ...] = ()  # units that start or stop
    uptime: int = 0  # microseconds; 0 if it was not asked
    copies: tuple[str, ...] = ()  # separate units whose files have the same text
    counted_anew: tuple[str, ...] = ()  # timers whose next elapse each daemon-reload postpones (OnActiveSec=)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of one unit at one moment, from systemd and the file system.

    `systemctl show` does not see a link that was made without a reload, so all layers' files are included. Times are
    µs.
    """

    asked: UnitName
    id: UnitName
    names: frozenset[str]
    machine_id: str
    load: LoadState
    active: ActiveState
    sub: str
    file_state: str
    fragment: str
    layers: tuple[LayerFile, ...]
    elsewhere: tuple[OtherFile, ...] = ()  # in the order in which systemd searches; only for the system's own manager
    source: str = ""
    transient: bool = False
    perpetual: bool = False
    can_start: bool = True
    can_stop: bool = True
    refuse_manual_start: bool = False
    refuse_manual_stop: bool = False
    need_daemon_reload: bool = False
    main_pid: int = 0
    control_group: str = ""  # empty once no process of it is left
    invocation: str = ""
    notify_access: str = "none"
    watchdog_usec: int = 0
    timeout_stop_usec: int = 0
    kill_mode: str = ""
    spared: bool = False  # SendSIGKILL=no: its own stop never kills it
    restart: str = ""
    restarts: int = 0
    result: str = ""
    pending_job: str = ""
    # while one of its own stop commands runs: its number, and how many there are
    stop_command: tuple[int, int] = (0, 0)
    actions: tuple[str, ...] = ()  # what its end does to the whole host: `SuccessAction=reboot-force`
    other_names_load: tuple[tuple[str, LoadState], ...] = ()  # load state under each further name
    twins: tuple[str, ...] = ()  # other units that start the same file, and that stay startable under its mask
    side_effects: SideEffects = SideEffects()
    manager: str = ""  # which run of the user's own manager: the runtime layer ends with it
    around: Surroundings | None = None

    def layer(self, layer: Layer) -> LayerFile:
        """The file of one layer."""
        return next(file for file in self.layers if file.layer is layer)

    @property
    def mask_layers(self) -> tuple[Layer, ...]:
        """The layers that contain a mask, whether systemd has loaded it yet or not."""
        return tuple(f.layer for f in self.layers if f.kind in (FileKind.MASK, FileKind.EMPTY))

    @property
    def made_by_us(self) -> RememberedMask | None:
        """A mask in place that the guard made for the bot, whether or not that is on record; for a full look."""
        there = {(file.layer, file.identity) for file in self.layers if file.kind is FileKind.MASK}
        remembered = self.around.remembered if self.around else ()
        return next((one for one in remembered if (one.layer, one.identity) in there), None)

    @property
    def is_masked(self) -> bool:
        """Whether systemd refuses the unit, under its id and every other name (an Alias= name may say `error`)."""
        aliases = all(load in (LoadState.MASKED, LoadState.ERROR) for _, load in self.other_names_load)
        return self.load is LoadState.MASKED and aliases

    @property
    def is_stopped(self) -> bool:
        """Whether its stop is complete: it is down, no job is queued for it, and its main process is gone."""
        return self.active.is_down and not self.pending_job and not self.main_pid

    @property
    def unit_states(self) -> dict[str, str]:
        """Its four states, as systemd names them."""
        return {"load": self.load, "active": self.active, "sub": self.sub, "unit_file": self.file_state}

    @property
    def is_missing(self) -> bool:
        """Whether there is no such unit, and nothing of that name runs."""
        return self.load is LoadState.NOT_FOUND and self.active.is_down
