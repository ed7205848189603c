"""The states that systemd gives to units, and the snapshot of one unit at one moment."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.systemd.side_effects import Habits, NextTurn
from bot.core.systemd.unit_names import UNIT_TYPES, UnitName

__all__ = [
    "UNIT_TYPES",
    "ActiveState",
    "FileKind",
    "Layer",
    "LayerFile",
    "LoadState",
    "Neighbour",
    "OtherFile",
    "Snapshot",
    "Surroundings",
    "UnitName",
]


class LoadState(StrEnum):
    """Whether systemd has the unit's settings (systemd.unit(5), org.freedesktop.systemd1(5))."""

    STUB = "stub"
    LOADED = "loaded"
    NOT_FOUND = "not-found"
    BAD_SETTING = "bad-setting"
    ERROR = "error"
    MERGED = "merged"
    MASKED = "masked"


class ActiveState(StrEnum):
    """Whether the unit runs."""

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
        """Nothing of the unit runs, and nothing is on its way."""
        return self in (ActiveState.INACTIVE, ActiveState.FAILED)


class Layer(StrEnum):
    """Where a mask lives; what masks in a lower one does not hide what is in a higher one."""

    CONTROL = "control"  # /etc/systemd/system.control: masks even a unit whose own file is in /etc/systemd/system
    PERSISTENT = "persistent"  # /etc/systemd/system: what `systemctl mask` makes
    RUNTIME = "runtime"  # /run/systemd/system: what `systemctl mask --runtime` makes, gone after a reboot


class FileKind(StrEnum):
    """What stands at a layer's path for the unit."""

    ABSENT = "absent"
    MASK = "mask"  # a link to /dev/null
    EMPTY = "empty"  # a file without a byte: masks too, and `systemctl unmask` would delete it
    LINK = "link"
    FILE = "file"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LayerFile:
    """One layer's file for the unit; `identity` (device, inode, change time) tells our link from a later one."""

    layer: Layer
    path: str
    kind: FileKind
    target: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True)
class OtherFile:
    """What stands under the unit's name in another folder of systemd's search path than those of the layers."""

    path: str
    kind: FileKind
    target: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another unit, as far as a change of this one concerns it."""

    unit: str
    names: frozenset[str]
    load: LoadState
    active: ActiveState
    sub: str = ""
    file_state: str = ""
    invocation: str = ""
    job: str = ""  # what is queued for it
    actions: tuple[str, ...] = ()  # what its end does to the whole host: `SuccessAction=reboot-force`
    next_turn: NextTurn = NextTurn()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What only a full look sees: the unit's files by content, its neighbours, the host, and our own rights there."""

    hostname: str
    boot_id: str
    systemd: str
    fragment_hash: str
    drop_ins: tuple[tuple[str, str], ...] = ()  # path and content hash of each
    would_stop: tuple[Neighbour, ...] = ()  # the static closure of what stops with it, active or not
    triggers: tuple[Neighbour, ...] = ()  # what starts it: sockets, timers, paths
    upheld_by: tuple[Neighbour, ...] = ()  # what starts it again whenever it is down (Upholds=)
    starts: tuple[Neighbour, ...] = ()  # what it starts, if it is a socket, timer or path
    members: tuple[Neighbour, ...] = ()  # instances and parts that could be started beside it
    wants_links: tuple[tuple[str, str], ...] = ()  # path and target of each enablement link
    pending_reload: tuple[str, ...] = ()  # other units whose edits a daemon-reload would apply
    pending_besides: int = 0  # files that changed too, and of which the look has not followed whose they are
    others: tuple[Neighbour, ...] = ()  # units asked about besides, as they are now: a mask empties all relations
    failed: tuple[str, ...] = ()  # all units in failed state
    agents: tuple[str, ...] = ()  # configuration management that works there, and may take a mask off
    lifeline: frozenset[str] = frozenset()  # units that carry our own SSH login
    may_carry_us: frozenset[str] = frozenset()  # units at stake that listen, where it cannot be told who carries us
    near: tuple[str, ...] = ()  # names like the asked one, when it is not found
    rights: frozenset[str] = frozenset()  # the words of `systemctl.RIGHTS` that sudo admits to us
    up: tuple[str, ...] = ()  # all units that run
    moving: tuple[str, ...] = ()  # those on their way up or down
    uptime: int = 0  # microseconds; 0 where it was not asked
    copies: tuple[str, ...] = ()  # other units whose own files have the same text
    counted_anew: tuple[str, ...] = ()  # timers of which each daemon-reload puts the next turn off (OnActiveSec=)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What systemd, and the file system under it, said of one unit at one moment.

    `show` does not see a link that was made without a reload, so all layers' files are part of it. Times are µs.
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
    elsewhere: tuple[OtherFile, ...] = ()  # in the order in which systemd searches; of the system's own manager only
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
    stop_command: tuple[int, int] = (0, 0)  # while one of its own stop commands runs: which, of how many
    actions: tuple[str, ...] = ()  # what its end does to the whole host: `SuccessAction=reboot-force`
    other_names_load: tuple[tuple[str, LoadState], ...] = ()  # load state of each further name, asked by that name
    twins: tuple[str, ...] = ()  # other units that start the same file, and that its mask leaves startable
    habits: Habits = Habits()
    manager: str = ""  # which run of the user's own manager it is: its runtime layer goes with it
    around: Surroundings | None = None

    def layer(self, layer: Layer) -> LayerFile:
        """The file of one layer."""
        return next(file for file in self.layers if file.layer is layer)

    @property
    def mask_layers(self) -> tuple[Layer, ...]:
        """The layers that hold a mask, whether systemd has read it yet or not."""
        return tuple(f.layer for f in self.layers if f.kind in (FileKind.MASK, FileKind.EMPTY))

    @property
    def is_masked(self) -> bool:
        """systemd itself refuses the unit, under its id and every other name (an Alias= name may say `error`)."""
        aliases = all(load in (LoadState.MASKED, LoadState.ERROR) for _, load in self.other_names_load)
        return self.load is LoadState.MASKED and aliases

    @property
    def is_stopped(self) -> bool:
        """systemd is done with it: it is down, nothing is queued for it, and its main process is gone."""
        return self.active.is_down and not self.pending_job and not self.main_pid

    @property
    def is_missing(self) -> bool:
        """There is no such unit, and nothing of that name runs."""
        return self.load is LoadState.NOT_FOUND and self.active.is_down
