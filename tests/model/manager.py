"""systemd's manager as a model: units as they were loaded, and how they go up and down."""

import posixpath
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.model.files import GENERATED, NULL, RUN, SEARCH, Files, read

_SLEEP = re.compile(r"\bsleep (?P<seconds>\d+)$")
_SPAN = re.compile(r"(?P<number>\d+)(?P<unit>min|s|)")
_STOP_LIMIT = "90"  # DefaultTimeoutStopSec=
_UP_SUBS = {"service": "running", "socket": "listening", "timer": "waiting", "path": "waiting", "target": "active"}
_STOPS_TOO = ("Requires", "Requisite", "BindsTo", "PartOf")


@dataclass(slots=True)
class Loaded:
    """What systemd read of a unit, the last time that it read anything."""

    state: str = "not-found"
    fragment: str = ""
    settings: dict[str, list[str]] = field(default_factory=dict)
    drop_ins: list[str] = field(default_factory=list)
    file_state: str = ""  # as of then, too (measured)

    def last(self, key: str, otherwise: str = "") -> str:
        """A setting that has one value."""
        return self.settings.get(key, [otherwise])[-1]

    def names(self, *keys: str) -> list[str]:
        """All units that some settings name."""
        return [name for key in keys for value in self.settings.get(key, []) for name in value.split()]


@dataclass(slots=True)
class Running:
    """How a unit is doing."""

    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    pid: int = 0
    invocation: str = ""
    down_at: float = 0.0  # while it stops: when that is over, by the monotonic clock
    by_force: bool = False


class Manager:
    """All units of one host; every method is one moment."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.lock = threading.RLock()
        self.units: dict[str, Running] = {}
        self.loaded: dict[str, Loaded] = {}
        self.marks: list[str] = []  # units whose own stop commands ran to their end
        self.transient: set[str] = set()
        self.boot()

    def boot(self) -> None:
        """Everything runtime is gone, and what is enabled starts."""
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
        """Read all files again (systemctl(1), `daemon-reload`)."""
        with self.lock:
            known = {*self.loaded, *self.units, *self._on_disk()}
            self.loaded = {name: self._read(name) for name in known}

    def load(self, name: str) -> Loaded:
        """A unit as systemd has it. One that nothing holds is read anew at each question (measured)."""
        with self.lock:
            self.settle(name)
            if name not in self.loaded or not self._is_held(name):
                self.loaded[name] = self._read(name)
            return self.loaded[name]

    def resolve(self, name: str) -> str:
        """The name that a unit is known by."""
        path = self.files.named(name)
        goal = self.files.entries[path].goal if path else ""
        if goal and goal != NULL and posixpath.basename(goal) != name and not _is_instance_of(name, goal):
            return self.resolve(posixpath.basename(goal))
        return name

    def names(self, name: str) -> list[str]:
        """All names of a unit: a masked one has lost its others."""
        others = self.files.aliases(name) if self.load(name).state == "loaded" else []
        return [name, *others]

    def running(self, name: str) -> Running:
        """How a unit is doing now."""
        with self.lock:
            self.settle(name)
            return self.units.get(name) or Running()

    def settle(self, name: str) -> None:
        """What was to end by now has ended."""
        unit = self.units.get(name)
        if unit and unit.active == "deactivating" and time.monotonic() >= unit.down_at:
            result = "timeout" if unit.by_force else "success"
            self.units[name] = Running(
                active="failed" if unit.by_force else "inactive",
                sub="failed" if unit.by_force else "dead",
                result=result,
                invocation=unit.invocation,
            )
            if self.loaded[name].state == "loaded" and self.loaded[name].names("ExecStop"):
                self.marks.append(name)

    def start(self, name: str) -> tuple[int, str]:
        """systemctl(1), `start`: its exit code and what it says."""
        with self.lock:
            name = self.resolve(name)
            unit = self.load(name)
            if unit.state == "masked":
                return 1, f"Failed to start {name}: Unit {name} is masked."
            if unit.state == "not-found":
                return 5, f"Failed to start {name}: Unit {name} not found."
            if unit.last("RefuseManualStart") == "yes":
                why = "Operation refused, unit {0} may be requested by dependency only"
                return 4, f"Failed to start {name}: {why.format(name)} (it is configured to refuse manual start/stop)."
            for needed in unit.names("Requires", "BindsTo"):
                if self.load(needed).state == "masked":
                    return 1, f"Failed to start {name}: Unit {needed} is masked."
                self.begin(needed)
            self.begin(name)
            return 0, ""

    def begin(self, name: str) -> None:
        """The unit is up."""
        if self.running(name).active == "active":
            return
        kind = name.rpartition(".")[2]
        unit = self.load(name)
        lasts = unit.last("Type") != "oneshot" or unit.last("RemainAfterExit") == "yes"
        sub = "exited" if unit.last("Type") == "oneshot" else _UP_SUBS[kind]
        pid = secrets.randbelow(30_000) + 100 if kind == "service" and sub == "running" else 0
        if lasts:
            self.units[name] = Running("active", sub, pid=pid, invocation=secrets.token_hex(16))

    def stop(self, name: str) -> tuple[int, str]:
        """systemctl(1), `stop --no-block`: what is bound to the unit goes with it."""
        with self.lock:
            name = self.resolve(name)
            unit = self.load(name)
            if unit.last("RefuseManualStop") == "yes":
                why = "Operation refused, unit {0} may be requested by dependency only"
                return 4, f"Failed to stop {name}: {why.format(name)} (it is configured to refuse manual start/stop)."
            for each in [*self.stops_with(name), name]:
                self._end(each)
            return 0, ""

    def stops_with(self, name: str) -> list[str]:
        """What a stop takes along, directly or not."""
        found: dict[str, None] = {}
        ahead = [name]
        while ahead:
            for each in self.related(ahead.pop(), *_STOPS_TOO):
                if each not in found and each != name:
                    found[each] = None
                    ahead.append(each)
        return [*found]

    def related(self, name: str, *settings: str) -> Iterator[str]:
        """The units whose loaded settings name this one."""
        return (each for each, loaded in sorted(self.loaded.items()) if name in loaded.names(*settings))

    def triggers(self, name: str) -> list[str]:
        """What a socket, timer or path starts; a masked one starts nothing."""
        stem, _, kind = name.rpartition(".")
        if kind not in ("socket", "timer", "path") or self.load(name).state != "loaded":
            return []
        return [self.load(name).last("Unit", f"{stem}.service")]

    def trigger(self, name: str) -> None:
        """What a socket, timer or path waits for happens. One whose unit is masked fails (measured)."""
        with self.lock:
            if self.running(name).active != "active":
                return
            for started in self.triggers(name):
                if self.load(started).state == "masked":
                    self.fail(name)
                else:
                    self.begin(started)

    def fail(self, name: str) -> None:
        """It is down, and not because anybody wanted that."""
        with self.lock:
            self.units[name] = Running("failed", "failed", "exit-code", invocation=secrets.token_hex(16))
            self.loaded.setdefault(name, self._read(name))

    def reset_failed(self, name: str) -> None:
        """systemctl(1), `reset-failed`."""
        with self.lock:
            if self.running(name).active == "failed":
                self.units[name] = Running()

    def _file_state(self, name: str) -> str:
        path = self.files.named(name)
        if not path:
            return "transient" if name in self.transient else ""
        entry = self.files.entries[path]
        if entry.goal == NULL:
            return "masked-runtime" if path.startswith("/run/") else "masked"
        if path.startswith(GENERATED):
            return "generated"
        if self.files.links_to(name):
            return "enabled"
        if entry.goal:
            return "linked"
        settings = read(entry.text)
        return "disabled" if settings.get("WantedBy") or settings.get("Alias") else "static"

    def _end(self, name: str) -> None:
        unit, loaded = self.running(name), self.load(name)
        if unit.active != "active":
            return
        commands = loaded.settings.get("ExecStop", [])
        slow = sum(int(found["seconds"]) for command in commands if (found := _SLEEP.search(command)))
        limit = seconds(loaded.last("TimeoutStopSec", _STOP_LIMIT))
        deaf = 'trap "" TERM' in loaded.last("ExecStart")
        takes = min(float(slow), limit) if slow else limit if deaf else 0.0
        sub = "stop" if slow else "stop-sigterm"
        ends = time.monotonic() + takes
        self.units[name] = Running(
            "deactivating", sub, "success", unit.pid, unit.invocation, down_at=ends, by_force=deaf or slow > limit
        )
        self.settle(name)

    def _read(self, name: str) -> Loaded:
        return replace(self._parse(name), file_state=self._file_state(name))

    def _parse(self, name: str) -> Loaded:
        if name in self.transient:
            return Loaded("loaded", f"/run/systemd/transient/{name}")
        path = self.files.named(name)
        if not path:
            return Loaded()
        entry = self.files.entries[path]
        if entry.goal == NULL or (entry.goal == "" and entry.text == ""):
            return Loaded("masked", path)
        if entry.goal and posixpath.basename(entry.goal) != name and not _is_instance_of(name, entry.goal):
            state = self._parse(posixpath.basename(entry.goal)).state
            return Loaded("error" if state == "masked" else state, path)
        drop_ins = self.files.drop_ins(name)
        text = "\n".join(map(self.files.text, [path, *drop_ins]))
        return Loaded("loaded", path, read(text), drop_ins)

    def _is_held(self, name: str) -> bool:
        """Whether systemd keeps it loaded: it runs, or something that is loaded names it."""
        if self.units.get(name, Running()).active != "inactive" or self.files.links_to(name):
            return True
        return any(name in self.loaded[each].names(*_STOPS_TOO) for each in self.units if each in self.loaded)

    def _on_disk(self) -> set[str]:
        paths = (path for path in self.files.entries if posixpath.dirname(path) in SEARCH)
        return {name for path in paths if "@." not in (name := posixpath.basename(path))}


def _is_instance_of(name: str, goal: str) -> bool:
    return "@" in name and "@" in goal and name.partition("@")[0] == posixpath.basename(goal).partition("@")[0]


def seconds(span: str) -> float:
    """A length of time as unit files have it, as far as the lab's do."""
    found = _SPAN.fullmatch(span)
    if span == "infinity":
        return float("inf")
    assert found, span
    return int(found["number"]) * (60.0 if found["unit"] == "min" else 1.0)
