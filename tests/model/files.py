"""The part of a host's disk that systemd reads: unit files, drop-ins and links, as the lab has them."""

import hashlib
import itertools
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

UNITS = Path(__file__).parents[1] / "lab" / "units"
ETC, RUN, VENDOR = "/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"
CONTROL, GENERATED = "/etc/systemd/system.control", "/run/systemd/generator"
SEARCH = (CONTROL, ETC, RUN, GENERATED, VENDOR)  # the directories of systemd.unit(5) that a test may fill
NULL = "/dev/null"
_ENABLING = (".wants", ".requires")
PLACES = {"vendor": VENDOR, "local": ETC, "linked": "/opt/lab"}
PLAIN = "[Service]\nExecStart=/usr/bin/sleep infinity\n"
OWN = {  # units of the machine itself: those that the bot has rules for, and those that tests ask for
    f"{VENDOR}/ssh.service": PLAIN,
    f"{VENDOR}/cron.service": f"{PLAIN}KillMode=process\nRestart=on-failure\n[Install]\nWantedBy=multi-user.target\n",
    f"{VENDOR}/dbus.service": PLAIN,
    f"{VENDOR}/dbus.socket": "[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    f"{GENERATED}/generated.service": PLAIN,
    **{f"{VENDOR}/{name}.target": "[Unit]\n" for name in ("multi-user", "timers", "sockets", "paths")},
}


folder_of = cache(posixpath.dirname)  # of a few hundred paths, asked for again with each question


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or a link to `goal`."""

    text: str = ""
    goal: str = ""
    inode: int = 0

    @property
    def identity(self) -> str:
        """What tells a link from a later one at the same path."""
        return f"{self.inode}:{1_700_000_000 + self.inode}.000000000"


@dataclass(slots=True)
class Files:
    """The unit files, drop-ins and links of a host."""

    entries: dict[str, Entry] = field(default_factory=dict)
    trouble: str = ""  # why no file can be made or removed
    _inodes: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    @classmethod
    def of_the_lab(cls) -> "Files":
        """The files of a lab host at its first boot, without most of the machine's own units."""
        files = cls()
        texts, links = _of_the_lab()
        for path, text in (texts | OWN).items():
            files.write(path, text)
        for path, goal in links:
            files.link(path, goal)
        for path in [path for path in files.entries if folder_of(path) in (VENDOR, ETC)]:
            files.enable(path)
        files.link(f"{GENERATED}/multi-user.target.wants/generated.service", f"{GENERATED}/generated.service")
        return files

    def write(self, path: str, text: str) -> None:
        """A regular file."""
        self.entries[path] = Entry(text, inode=next(self._inodes))

    def link(self, path: str, goal: str) -> None:
        """A symbolic link, which is a new one even if the same existed."""
        self.entries[path] = Entry(goal=goal, inode=next(self._inodes))

    def remove(self, path: str) -> None:
        """Remove a file, which need not exist."""
        self.entries.pop(path, None)

    def enable(self, path: str) -> None:
        """Make the links that [Install] asks for (systemctl(1), `enable`)."""
        settings, name = read(self.entries[path].text), posixpath.basename(path)
        instance = settings.get("DefaultInstance", [""])[-1]
        link = name.replace("@.", f"@{instance}.") if instance else name
        for wanted_by in settings.get("WantedBy", []):
            self.link(f"{ETC}/{wanted_by}.wants/{link}", path)
        for alias in settings.get("Alias", []):
            self.link(f"{ETC}/{alias}", path)

    def named(self, name: str) -> str:
        """The path of a unit's file in systemd's search order; empty if there is none."""
        template = _template(name)
        paths = (f"{folder}/{each}" for each in (name, template) if each for folder in SEARCH)
        return next((path for path in paths if path in self.entries), "")

    def drop_ins(self, name: str) -> list[str]:
        """The drop-ins of a unit, by their paths."""
        folders = {f"{folder}/{name}.d" for folder in SEARCH}
        return sorted(path for path in self.entries if folder_of(path) in folders)

    def links_to(self, name: str) -> list[tuple[str, str]]:
        """Every enablement link of a unit, with its target."""
        return [(path, goal) for path, goal in self.links_of(name) if folder_of(path).endswith(_ENABLING)]

    def links_of(self, name: str) -> list[tuple[str, str]]:
        """Every link in a unit directory that has a unit's name or leads to it, with its target."""
        own = {f"{folder}/{name}" for folder in (CONTROL, ETC, RUN)}
        links = ((path, entry.goal) for path, entry in self.entries.items() if entry.goal and path not in own)
        return sorted(
            (path, goal) for path, goal in links if name in (path.rpartition("/")[2], goal.rpartition("/")[2])
        )

    def aliases(self, name: str) -> list[str]:
        """The names of links that lead to a unit from a unit directory."""
        goals = {name, *(f"{folder}/{name}" for folder in SEARCH), f"/usr{VENDOR}/{name}"}
        return sorted(
            posixpath.basename(path)
            for path, entry in self.entries.items()
            if entry.goal in goals and folder_of(path) in SEARCH and posixpath.basename(path) != name
        )

    def digest(self, path: str) -> str:
        """The output of sha256sum(1) for a file, or for a link's target."""
        return hashlib.sha256(self.text(path).encode()).hexdigest()

    def text(self, path: str) -> str:
        """The text of a file."""
        goal = self.entries[path].goal
        return self.entries.get(goal.replace("/usr/lib/", "/lib/"), Entry()).text if goal else self.entries[path].text


@cache
def _of_the_lab() -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The lab's unit files by their paths, and its links with their targets."""
    texts = {
        f"{place}/{file.relative_to(UNITS / folder)}": file.read_text()
        for folder, place in PLACES.items()
        for file in sorted((UNITS / folder).rglob("*"))
        if file.is_file()
    }
    lines = (UNITS / "links.txt").read_text().replace("usr/lib/systemd", "lib/systemd").splitlines()
    links = [line.split(" -> ") for line in lines if line and not line.startswith(("#", "home/"))]
    return texts, [(f"/{path}", goal) for path, goal in links]


@cache
def read(text: str) -> dict[str, list[str]]:
    """The settings of a unit file, with their values since the last empty one (systemd.syntax(7)), of all sections."""
    settings: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";", "[")):
            before = settings.get(key.strip(), []) if value.strip() else []
            settings[key.strip()] = [*before, *filter(None, [value.strip()])]
    return settings


def _template(name: str) -> str:
    stem, at, rest = name.partition("@")
    return f"{stem}@.{rest.rpartition('.')[2]}" if at and not rest.startswith(".") else ""
