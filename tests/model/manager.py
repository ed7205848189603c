"""A model of systemd's manager: loaded units, and how they start and stop."""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.model import loading
from tests.model.files import RUN, Files
from tests.model.loading import Loaded, seconds

_SLEEP = re.compile(r"\bsleep (?P<seconds>\d+)$")
_DIES = re.compile(r'trap "(sleep (?P<seconds>\d+); exit 0)?" TERM')
_STOP_LIMIT = "90"  # DefaultTimeoutStopSec=
_UP_SUBS = {"service": "running", "socket": "listening", "timer": "waiting", "path": "waiting", "target": "active"}
_ENABLES = (".wants/", ".requires/")
_REFUSED = (
    "Failed to {0} {1}: Operation refused, unit {1} may be requested by dependency only"
    " (it is configured to refuse manual start/stop)."
)
_BUSY = ("activating", "deactivating", "reloading")
NEVER = float("inf")


@dataclass(slots=True)
class Running:
    """The state of a unit."""

    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    pid: int = 0
    invocation: str = ""
    job: str = ""  # "start" or "stop", until the job is done
    dies_in: float = 0.0  # how long its process runs after SIGTERM
    until: float = NEVER  # when its present phase ends, by the clock
    command: int = 0  # which of its stop commands runs
    commands: int = 0  # how many stop commands there were when the stop began
    ended: float = 0.0  # when it stopped, if it is restarted automatically


class Manager:
    """All units of one host; each method is one moment."""

    def __init__(self, files: Files, clock: Callable[[], float] = time.monotonic) -> None:
        self.files = files
        self.clock = clock
        self.lock = threading.RLock()
        self.units: dict[str, Running] = {}
        self.loaded: dict[str, Loaded] = {}
        self.marks: list[str] = []  # units whose own stop commands ran to their end
        self.transient: set[str] = set()
        self.remembered: dict[tuple[str, str], tuple[str, str]] = {}  # the guard's: layer and unit -> link, request
        self.stopped: set[str] = set()  # the guard's: units that ran before they were stopped or masked
        self.is_run_full = False
        self._enabled: set[str] = set()
        self.boot()

    def boot(self) -> None:
        """Boot: runtime files are gone, and enabled units start."""
        with self.lock:
            for path in [path for path in self.files.entries if path.startswith(f"{RUN}/")]:
                self.files.remove(path)
            self.boot_id = f"{secrets.token_hex(4)}-0000-0000-0000-{secrets.token_hex(6)}"
            self.units, self.transient = {}, set()
            self.reload()
            wanted = {path.rpartition("/")[2] for path in self.files.entries if ".wants/" in path}
            for name in sorted(wanted | {"ssh.service", "dbus.socket", "dbus.service", "generated.service"}):
                if self.load(name).state == "loaded":
                    self.begin(name)

    def reload(self) -> None:
        """Reload all files (systemctl(1), `daemon-reload`)."""
        with self.lock:
            for name in [*self.units]:
                self.settle(name)
            links = {path: entry.goal for path, entry in self.files.entries.items() if entry.goal}
            enabling = [pair for pair in links.items() if any(folder in pair[0] for folder in _ENABLES)]
            self._enabled = {path.rpartition("/")[2] for pair in enabling for path in pair}
            known = {*self.loaded, *self.units, *self._enabled, *loading.on_disk(self.files)}
            self.loaded = {name: self._read(name) for name in known}
            self.loaded = {name: self.loaded[name] for name in known if self._is_held(name)}

    def load(self, name: str) -> Loaded:
        """A unit as systemd has loaded it. A unit without references is loaded anew for each question (measured)."""
        with self.lock:
            self.settle(name)
            if not self._is_held(name):
                self.loaded.pop(name, None)
                return self._read(name)
            if name not in self.loaded:
                self.loaded[name] = self._read(name)
            return self.loaded[name]

    def resolve(self, name: str) -> str:
        """The unit's real name."""
        return loading.resolve(self.files, name)

    def names(self, name: str) -> list[str]:
        """All names of a unit: a masked one has lost its aliases."""
        others = self.files.aliases(name) if self.load(name).state == "loaded" else []
        return [name, *others]

    def running(self, name: str) -> Running:
        """The present state of a unit."""
        with self.lock:
            self.settle(name)
            return self.units.get(name) or Running()

    def note_what_ran(self, name: str) -> None:
        """The guard's part: a unit that goes down with a change may be started again."""
        if self.running(name).active == "active":
            self.stopped.add(name)

    def start(self, name: str) -> tuple[int, str]:
        """systemctl(1), `start --no-block`: exit code and message."""
        with self.lock:
            name = self.resolve(name)
            unit = self.load(name)
            if unit.state == "masked":
                return 1, f"Failed to start {name}: Unit {name} is masked."
            if unit.state == "not-found":
                return 5, f"Failed to start {name}: Unit {name} not found."
            if unit.last("RefuseManualStart") == "yes":
                return 4, _REFUSED.format("start", name)
            for needed in unit.names("Requires", "BindsTo"):
                if self.load(needed).state == "masked":
                    return 1, f"Failed to start {name}: Unit {needed} is masked."
                self.begin(needed)
            self.begin(name)
            return 0, ""

    def begin(self, name: str) -> None:
        """Queue a start. It replaces a stop that has not begun, and waits for one that has (measured)."""
        unit = self.running(name)
        if unit.job == "stop" or unit.active in ("inactive", "failed"):
            self.units[name] = replace(unit, job="start")
            self.settle(name)

    def stop(self, name: str) -> tuple[int, str]:
        """systemctl(1), `stop --no-block`: units bound to this one stop too."""
        with self.lock:
            name = self.resolve(name)
            if self.load(name).last("RefuseManualStop") == "yes":
                return 4, _REFUSED.format("stop", name)
            going = [*self.stops_with(name), name]
            for each in going:
                unit = self.running(each)
                unit.job = "" if unit.active in ("inactive", "failed") else "stop"
            for each in going:
                self.settle(each)
            return 0, ""

    def kill(self, name: str) -> tuple[int, str]:
        """systemctl(1), `kill --signal=SIGKILL`: a stopping unit is down at once, as failed (measured)."""
        with self.lock:
            name = self.resolve(name)
            self.settle(name)
            unit = self.units.get(name)
            if unit is None or unit.active == "inactive":
                return 1, f"Failed to kill unit {name}: Unit {name} not loaded."
            if unit.active == "deactivating":
                self._end(name, replace(unit, result="signal"))
            return 0, ""

    def stops_with(self, name: str) -> list[str]:
        """The units that stop with this one, directly or indirectly."""
        found: dict[str, None] = {}
        ahead = [name]
        while ahead:
            for each in self.related(ahead.pop(), *loading.STOPS_TOO):
                if each not in found and each != name:
                    found[each] = None
                    ahead.append(each)
        return [*found]

    def related(self, name: str, *settings: str) -> Iterator[str]:
        """The units whose loaded settings name this one."""
        holders = [each for each, loaded in self.loaded.items() if name in loaded.needs]
        return (each for each in sorted(holders) if name in self.loaded[each].names(*settings))

    def triggers(self, name: str) -> list[str]:
        """The unit that a socket, timer or path starts; a masked one starts nothing."""
        stem, _, kind = name.rpartition(".")
        if kind not in ("socket", "timer", "path") or self.load(name).state != "loaded":
            return []
        return [self.load(name).last("Unit", f"{stem}.service")]

    def trigger(self, name: str) -> None:
        """The event of a socket, timer or path happens. A trigger of a masked unit fails (measured)."""
        with self.lock:
            if self.running(name).active != "active":
                return
            for started in self.triggers(name):
                if self.load(started).state == "masked":
                    self.fail(name)
                else:
                    self.begin(started)

    def fail(self, name: str) -> None:
        """The unit fails by itself."""
        with self.lock:
            self.units[name] = Running("failed", "failed", "exit-code", invocation=secrets.token_hex(16))
            self.loaded.setdefault(name, self._loaded(name))

    def reset_failed(self, name: str) -> None:
        """systemctl(1), `reset-failed`."""
        with self.lock:
            if self.running(name).active == "failed":
                self.units[name] = Running()

    def reload_unit(self, name: str) -> None:
        """systemctl(1), `reload`."""
        with self.lock:
            unit, takes = self.running(name), sum(map(_takes, self.load(name).settings["ExecReload"]))
            self.units[name] = replace(unit, active="reloading", sub="reload", job="start", until=self.clock() + takes)

    def settle(self, name: str) -> None:
        """Advance to the present time: end phases that are over, and start jobs that need not wait any more."""
        while unit := self.units.get(name):
            may_begin = unit.active not in _BUSY if unit.job == "start" else unit.active != "deactivating"
            if unit.until <= self.clock():
                self._advance(name, unit)
            elif not (unit.job and may_begin) or self._waits(name, unit):
                return
            elif unit.job == "stop":
                self._go_down(name, unit)
            else:
                self._go_up(name, unit)

    def _waits(self, name: str, unit: Running) -> bool:
        """A job waits until units ordered after its unit have stopped.

        A start also for units that it is ordered after (measured).
        """
        stopping = [each for each, one in self.units.items() if one.job == "stop" and each != name]
        later = (each for each in stopping if name in self._loaded(each).names("After"))
        sooner = self._loaded(name).names("After") if unit.job == "start" else ()
        return any(self.running(each).job == "stop" for each in later) or any(self.running(each).job for each in sooner)

    def _go_up(self, name: str, unit: Running) -> None:
        if unit.active not in ("inactive", "failed"):
            self.units[name] = replace(unit, job="")
            return
        before = self.loaded.setdefault(name, self._loaded(name)).settings.get("ExecStartPre", [])
        ends = (unit.ended or self.clock()) + sum(map(_takes, before))
        invocation = secrets.token_hex(16)
        self.units[name] = Running("activating", "start-pre", invocation=invocation, job="start", until=ends)

    def _go_down(self, name: str, unit: Running) -> None:
        """A unit that starts or reloads is killed, and its stop commands are skipped (measured)."""
        if unit.sub == "auto-restart":
            self._end(name, unit)
        elif unit.active in ("activating", "reloading"):
            self._end(name, replace(unit, result="signal"))
        else:
            commands = len(self._loaded(name).settings.get("ExecStop", []))
            begun = replace(unit, active="deactivating", sub="stop", commands=commands, command=-1, until=self.clock())
            self._advance(name, begun)

    def _advance(self, name: str, unit: Running) -> None:
        """Move to the next phase, by the settings as they are loaded now: a masked unit has none (measured)."""
        loaded = self._loaded(name)
        commands = loaded.settings.get("ExecStop", [])
        limit = seconds(loaded.last("TimeoutStopSec", _STOP_LIMIT))
        is_late = unit.sub == "stop" and 0 <= unit.command < len(commands) and _takes(commands[unit.command]) > limit
        match unit.sub:
            case "start-pre":
                self._come_up(name, unit, loaded)
            case "reload":
                self.units[name] = replace(unit, active="active", sub="running", job="", until=NEVER)
            case "stop" if not is_late and unit.command + 1 < len(commands):
                after = unit.until + min(_takes(commands[unit.command + 1]), limit)
                self.units[name] = replace(unit, command=unit.command + 1, until=after)
            case "stop":
                if commands and not is_late and unit.command + 1 == unit.commands:
                    self.marks.append(name)
                result = "timeout" if is_late or unit.dies_in > limit else "success"
                ends = unit.until + min(unit.dies_in, limit)
                self.units[name] = replace(unit, sub="stop-sigterm", result=result, until=ends)
            case _:
                self._end(name, unit)

    def _loaded(self, name: str) -> Loaded:
        """A unit's loaded settings, without advancing the time."""
        return self.loaded.get(name) or self._read(name)

    def _come_up(self, name: str, unit: Running, loaded: Loaded) -> None:
        kind, is_oneshot = name.rpartition(".")[2], loaded.last("Type") == "oneshot"
        begun = [*loaded.settings.get("ExecStartPre", []), *loaded.settings.get("ExecStart", [])]
        if any(map(self._fails, begun)):
            crashes = loaded.last("Restart") in ("always", "on-failure")
            states = ("activating", "auto-restart") if crashes else ("failed", "failed")
            self.units[name] = Running(*states, "exit-code", invocation=unit.invocation)
        elif is_oneshot and loaded.last("RemainAfterExit") != "yes":
            self._end(name, unit)
        else:
            sub = "exited" if is_oneshot else _UP_SUBS[kind]
            pid = secrets.randbelow(30_000) + 100 if kind == "service" and sub == "running" else 0
            found = _DIES.search(loaded.last("ExecStart"))
            dies_in = float(found["seconds"] or NEVER) if found else 0.0
            self.units[name] = Running("active", sub, pid=pid, invocation=unit.invocation, dies_in=dies_in)

    def _fails(self, command: str) -> bool:
        word, _, rest = command.partition(" ")
        checks = word.endswith("/test") and rest.startswith("-e ")
        return word.endswith("/false") or (checks and rest.removeprefix("-e ") not in self.files.entries)

    def _end(self, name: str, unit: Running) -> None:
        """The unit is down. Without references it is unloaded, with its relations to others (measured)."""
        failed = unit.result in ("timeout", "signal")
        states = ("failed", "failed") if failed else ("inactive", "dead")
        job = "start" if unit.job == "start" and unit.sub != "start-pre" else ""
        ended = min(unit.until, self.clock()) if job else 0.0
        self.units[name] = Running(*states, unit.result, invocation=unit.invocation, job=job, ended=ended)
        if not self._is_held(name):
            self.loaded.pop(name, None)

    def _read(self, name: str) -> Loaded:
        return loading.load(self.files, name, transient=name in self.transient)

    def _is_held(self, name: str) -> bool:
        """Whether systemd keeps the unit loaded: it runs, or a loaded unit names it."""
        unit = self.units.get(name)
        if (unit and (unit.active != "inactive" or unit.job)) or name in self._enabled:
            return True
        return any(name in loaded.needs for loaded in self.loaded.values())


def _takes(command: str) -> float:
    found = _SLEEP.search(command)
    return float(found["seconds"]) if found else 0.0
