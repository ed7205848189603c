"""Restore a host's units to their state at boot between tests, which share hosts."""

import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from bot.edges.guard.settings import FOLDER
from tests.lab.hosts import LabHost
from tests.lab.machine import LabError
from tests.lab.tree import LINGERING

UP = {"active", "activating", "reloading"}
TYPES = ("--type=service", "--type=socket", "--type=timer", "--type=path")
KINDS = ("", ".control")
TRANSIENT = "transient-one.service"
FORGET = f"rm -rf {FOLDER}; "  # what the guard remembers of masks that go with their test
ATTEMPTS = 3
FOUND, END = "%p\\t%l\\n", "--end--"
# Units that change by themselves: logins, systemd's own helpers, and oneshots of a timer and a path.
FOREIGN = ("systemd-", "user@", "user-runtime-dir@", "run-", "dbus", "polkit", "beat.service", "watched.service")


@dataclass(frozen=True, slots=True)
class Manager:
    """One systemd manager on the host, the system's or a user's: how to reach it, and its directories of units and
    masks.
    """

    argv: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The files of a manager (path, and target of a link), and the states of its loaded units."""

    files: frozenset[tuple[str, str]]
    states: dict[str, tuple[str, str]]

    @property
    def up(self) -> set[str]:
        """Units that run or start."""
        return {unit for unit, (active, _) in self.states.items() if active in UP}

    @property
    def down(self) -> set[str]:
        """Units that are stopped without a trace: neither failed nor changing."""
        return {unit for unit, (active, _) in self.states.items() if active == "inactive"}

    def deaf(self, before: "Picture") -> set[str]:
        """Sockets, timers and paths that are active, but do not wait for their event any more."""
        triggers = {unit for unit in self.up & before.up if not unit.endswith(".service")}
        return {unit for unit in triggers if self.states[unit] != before.states[unit]}

    def differs(self, before: "Picture") -> bool:
        """Whether anything must be restored."""
        return self.files != before.files or bool(self.missing(before) | self.surplus(before) | self.deaf(before))

    def missing(self, before: "Picture") -> set[str]:
        """Units that ran and do not."""
        return before.up - self.up

    def surplus(self, before: "Picture") -> set[str]:
        """Units that did not run, and now do, hang in their stop, or have failed and perhaps left a process."""
        return self.states.keys() - self.down - before.up


@dataclass(frozen=True, slots=True)
class Pristine:
    """What `restore` restores: masks of any layer, other links, and which units run; not the contents of files.

    The guard remembers nothing afterwards.
    """

    host: LabHost
    before: tuple[tuple[Manager, Picture], ...]

    @classmethod
    def of(cls, host: LabHost) -> Self:
        """Record the present state of the host."""
        managers = _managers(host)
        return cls(host, tuple(zip(managers, _looks(host, managers), strict=True)))

    def is_intact(self) -> bool:
        """Whether nothing needs to be restored."""
        return not any(now.differs(before) for _, now, before in self._now())

    def restore(self) -> None:
        """Undo what a test did; 20 ms if it did nothing. Raises `LabError` for what cannot be restored."""
        for manager, found, before in self._now(first=FORGET):
            now, attempts = found, 0
            while now.differs(before):
                if attempts == ATTEMPTS:
                    left = now.files ^ before.files, now.missing(before), now.surplus(before), now.deaf(before)
                    raise LabError(f"{self.host.name} is not as it was: {left}")
                self._restore_what_ran(manager, now, before)
                now = _look(self.host, manager)
                attempts += 1

    def _now(self, *, first: str = "") -> list[tuple[Manager, Picture, Picture]]:
        """Each manager, with its present and its recorded state."""
        looks = _looks(self.host, [manager for manager, _ in self.before], first=first)
        return [(manager, now, before) for (manager, before), now in zip(self.before, looks, strict=True)]

    def _restore_what_ran(self, manager: Manager, now: Picture, before: Picture) -> None:
        self._put_files_back(now.files, before.files)
        self._tell(manager, "daemon-reload")
        now = _look(self.host, manager)
        missing, surplus = now.missing(before), now.surplus(before)
        hanging = {unit for unit in missing if now.states.get(unit, ("", ""))[0] == "deactivating"}
        # A unit that ignores SIGTERM would delay us, or leave a process that no unit owns.
        self._tell(manager, "kill", "--signal=KILL", units=surplus | hanging)
        self._tell(manager, "stop", units=surplus)
        self._tell(manager, "reset-failed")
        if TRANSIENT in missing:
            self.host.start_transient()
        self._tell(manager, "start", units=missing - {TRANSIENT})
        self._tell(manager, "restart", units=_look(self.host, manager).deaf(before))

    def _put_files_back(self, now: Collection[tuple[str, str]], before: Collection[tuple[str, str]]) -> None:
        for path, _ in set(now) - set(before):
            self.host.run("rm", "--", path)
        for path, target in set(before) - set(now):
            self.host.run("ln", "-s", "--", target, path)

    def _tell(self, manager: Manager, verb: str, *options: str, units: Iterable[str] | None = None) -> None:
        names = () if units is None else tuple(sorted(units))
        if units is None or names:
            self.host.run(*manager.argv, verb, *options, "--", *names)


def _managers(host: LabHost) -> tuple[Manager, Manager]:
    user = host.run("id", "-u", LINGERING).stdout.strip()
    become = ("setpriv", f"--reuid={LINGERING}", f"--regid={LINGERING}", "--init-groups")
    bus = ("env", f"XDG_RUNTIME_DIR=/run/user/{user}")
    homes = (f"/home/{LINGERING}/.config", f"/run/user/{user}")
    return (
        Manager(("systemctl",), tuple(f"{place}/systemd/system{kind}" for place in ("/etc", "/run") for kind in KINDS)),
        Manager(
            (*become, *bus, "systemctl", "--user"),
            tuple(f"{place}/systemd/user{kind}" for place in homes for kind in KINDS),
        ),
    )


def _look(host: LabHost, manager: Manager) -> Picture:
    (picture,) = _looks(host, [manager])
    return picture


def _looks(host: LabHost, managers: Sequence[Manager], *, first: str = "") -> list[Picture]:
    """All managers in one call, because entering the host costs most."""
    script = first + "; ".join(
        f"{shlex.join(('find', *manager.places, '-not', '-type', 'd', '-printf', FOUND))}; echo {END}; "
        f"{shlex.join((*manager.argv, 'list-units', '--all', '--plain', '--no-legend', *TYPES))}; echo {END}"
        for manager in managers
    )
    said = iter(host.run("sh", "-c", script).stdout.split(f"{END}\n")[:-1])
    return [_picture(found.splitlines(), listed.splitlines()) for found, listed in zip(said, said, strict=True)]


def _picture(found: Iterable[str], listed: Iterable[str]) -> Picture:
    rows = (line.split(None, 4) for line in listed)
    return Picture(
        frozenset((path, target) for path, _, target in (line.partition("\t") for line in found)),
        {unit: (active, _lasting(unit, sub)) for unit, _, active, sub, *_ in rows if not unit.startswith(FOREIGN)},
    )


def _lasting(unit: str, sub: str) -> str:
    """A timer or path is `running` while its service runs, and waits again afterwards."""
    return "waiting" if unit.endswith((".timer", ".path")) and sub == "running" else sub
