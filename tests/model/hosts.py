"""Model hosts: reached by the bot through `ports.Hosts`, and changed by root behind its back."""

import secrets
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import PROTOCOL, REFUSED, Note, request_line
from bot.errors import HostError, OutcomeUnknown
from bot.ports import CommandResult
from tests.model import answers
from tests.model.files import CONTROL, ETC, NULL, RUN, Files
from tests.model.manager import Manager

ADDRESS, LOGIN = "192.0.2.1", "maskbot"  # an address that nobody has (RFC 5737)
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEWa5dWDmMGmzQ9bT9+2xnXbs9yNTqwJq7T2mZ0wCcKd"
FOLDERS = {"control": CONTROL, "persistent": ETC, "runtime": RUN}
_SYSTEMCTL = ("systemctl", "/usr/bin/systemctl")
_NO_SPACE = (
    "Reload daemon failed: Refusing to reload, not enough space available on /run/systemd. Currently, 11.8M are free,"
    " but a safety buffer of 16.0M is enforced."
)


@dataclass(slots=True)
class ModelHost:
    """One host of the model; tests use it like a `LabHost`, which can do more."""

    name: str
    manager: Manager = field(default_factory=lambda: Manager(Files.of_the_lab()))
    machine_id: str = field(default_factory=lambda: secrets.token_hex(16))
    address: str = ADDRESS
    port: int = 22
    login: str = LOGIN
    host_key: str = HOST_KEY
    is_away: bool = False

    def __post_init__(self) -> None:
        self.start_transient()

    def run(self, *argv: str, given: str = "", seconds: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a command as root; an unknown command fails the test."""
        del given, seconds
        code, said, stdout = 0, "", ""
        match argv:
            case [word, *words] if word in _SYSTEMCTL:
                code, said, stdout = self.systemctl(words)
            case ["rm", *words]:
                for path in [word for word in words if not word.startswith("-")]:
                    self.manager.files.remove(path)
            case ["ln", "-s", goal, path]:
                self.manager.files.link(path, goal)
            case ["readlink", path]:
                stdout = f"{self.manager.files.entries[path].goal}\n"
            case _:
                raise NotImplementedError(f"the model of a host does not know {argv}")
        return subprocess.CompletedProcess(argv, code, stdout, said)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Some properties of a unit, in their present state."""
        with self.manager.lock:
            name = self.manager.resolve(unit if "." in unit else f"{unit}.service")
            found = answers.properties(self.manager, name)
            return {key: found[key] for key in properties}

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put a file on the host's disk."""
        del mode
        with self.manager.lock:
            self.manager.files.write(path, text)

    def reset(self) -> None:
        """Reset to the state at first boot."""
        self.manager, self.is_away = Manager(Files.of_the_lab()), False
        self.start_transient()

    def reboot(self) -> None:
        """Reboot: runtime masks and transient units go; the disk stays."""
        self.manager.boot()

    def start_transient(self) -> None:
        """Run transient-one.service, which has no file anywhere."""
        with self.manager.lock:
            self.manager.transient.add("transient-one.service")
            self.manager.begin("transient-one.service")

    def systemctl(self, words: Iterable[str]) -> tuple[int, str, str]:
        """One call: exit code, what goes to stderr, what goes to stdout."""
        options = [word for word in words if word.startswith("-")]
        verb, *units = [word for word in words if not word.startswith("-")]
        units = [unit if "." in unit else f"{unit}.service" for unit in units]
        manager = self.manager
        with manager.lock:
            match verb:
                case "mask" | "unmask":
                    done = (self._mask if verb == "mask" else self._unmask)(
                        units[0], RUN if "--runtime" in options else ETC
                    )
                    if "--no-reload" not in options:
                        manager.reload()
                    return (*done, "")
                case "daemon-reload" if manager.is_run_full:
                    return 1, _NO_SPACE, ""
                case "daemon-reload":
                    manager.reload()
                case "start" | "stop" | "kill":
                    do = {"start": manager.start, "stop": manager.stop, "kill": manager.kill}[verb]
                    return (*max(map(do, units)), "")
                case "reload":
                    manager.reload_unit(units[0])
                case "reset-failed":
                    manager.reset_failed(units[0])
                case "is-active":
                    active = manager.running(manager.resolve(units[0])).active
                    return (0 if active == "active" else 3), "", f"{active}\n"
                case _:
                    raise NotImplementedError(f"the model of systemd does not know {verb}")
        return 0, "", ""

    def _mask(self, unit: str, folder: str) -> tuple[int, str]:
        path = f"{folder}/{unit}"
        there = self.manager.files.entries.get(path)
        if there is None:
            self.manager.files.link(path, NULL)
            return 0, f"Created symlink {path} → {NULL}."
        if there.goal == NULL:
            return 0, ""
        also = f" and is a symlink to {there.goal}" if there.goal else ""
        return 1, f"Failed to mask unit: File {path} already exists{also}."

    def _unmask(self, unit: str, folder: str) -> tuple[int, str]:
        """It also removes enablement links that lead to the mask, so the unit is no longer enabled (measured)."""
        path, files = f"{folder}/{unit}", self.manager.files
        if path not in files.entries or files.entries[path].goal != NULL:
            return 0, ""
        for link in [link for link, goal in files.links_to(unit) if goal == path]:
            files.remove(link)
        files.remove(path)
        return 0, f'Removed "{path}".'


class ModelHosts:
    """Implements `ports.Hosts`."""

    def __init__(self, hosts: Mapping[str, ModelHost]) -> None:
        self.hosts = hosts

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        """Answer as the guard on the host would over SSH."""
        request_line(argv, "a1", note, then)
        if deadline <= 0:
            raise OutcomeUnknown("The time was over.")
        if host.name not in self.hosts or self.hosts[host.name].is_away:
            raise HostError(f"{host.name} cannot be reached: Connection refused.", code="ssh_unreachable", passing=True)
        one, words = self.hosts[host.name], list(argv[1:])
        code, said, stdout = 0, "", self._looked(one, words)
        if not stdout:
            code, said = self._changed(one, words, note.request if note else "")
        look = self._looked(one, list(then[1:])) if then else ""
        return CommandResult(argv, code, stdout, f"{said}\n" if said else "", 1, f"{PROTOCOL} model", look)

    def _looked(self, one: ModelHost, words: list[str]) -> str:
        match words:
            case ["look", size, unit]:
                said = answers.look(one.manager, unit, size=size, hostname=one.name, machine_id=one.machine_id)
                return said + (self._status(one, unit) if size in ("result", "acting") else "")
            case ["scan"]:
                return answers.scan(one.manager, machine_id=one.machine_id)
            case ["rules"]:
                return answers.rules(one.manager)
            case ["units"]:
                return answers.unit_list(one.manager)
            case ["status", unit]:
                return self._status(one, unit)
        return ""

    @staticmethod
    def _changed(one: ModelHost, words: list[str], request: str) -> tuple[int, str]:
        """The exit code of a change, and what goes to stderr."""
        files = one.manager.files
        match words:
            case ["stop" | "start" | "kill" | "reset-failed" as verb, unit]:
                one.manager.note_what_ran(unit if verb == "stop" else "")
                return one.systemctl([verb, unit])[:2]
            case ["try-start", unit]:
                return one.systemctl(["start", unit])[:2]
            case ["reload"]:
                return one.systemctl(["daemon-reload"])[:2]
            case ["probe", layer]:
                return (1, f"{FOLDERS[layer]}: {files.trouble}") if files.trouble else (0, "")
            case ["link", layer, unit]:
                path = f"{FOLDERS[layer]}/{unit}"
                if why := "File exists" if path in files.entries else files.trouble:
                    return 1, f"{FOLDERS[layer]}: {why}"
                files.link(path, NULL)
                one.manager.note_what_ran(unit)
                one.manager.remembered[layer, unit] = files.entries[path].identity, request
            case ["unlink" | "unlink-foreign", layer, unit, identity]:
                path = f"{FOLDERS[layer]}/{unit}"
                if path not in files.entries or files.entries[path].identity != identity:
                    return REFUSED, f"maskbot-guard: {path} is not the mask that was seen there"
                if files.trouble:
                    return 1, f"{FOLDERS[layer]}: {files.trouble}"
                files.remove(path)
                one.manager.remembered.pop((layer, unit), None)
            case _:
                raise NotImplementedError(f"the model of a host does not know {words}")
        return 0, ""

    @staticmethod
    def _status(one: ModelHost, unit: str) -> str:
        found = answers.properties(one.manager, one.manager.resolve(unit))
        loaded = f"{found['LoadState']} ({found['FragmentPath']}; {found['UnitFileState']})"
        return f"* {unit}\n     Loaded: {loaded}\n     Active: {found['ActiveState']} ({found['SubState']})\n"
