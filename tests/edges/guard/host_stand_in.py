"""A host of a few files, as root's half sees it: its memory, the folders of masks, a journal, systemctl, and a user."""

import os
import pwd
import socket
from contextlib import closing
from pathlib import Path

import pytest

from bot.edges.guard import journal, links, logins, memory
from bot.edges.guard.memory import Memory, Record
from tests.edges.guard.manager_stand_in import Systemctl, Systemd

DEPLOY = 4711
_KEEPS = 'rm -rf "$0.then"; cp -r "${0%/*}/remembered" "$0.then" 2>/dev/null\n'
_RUNS = 'case "$*" in *"--value -- user@"*) cat "$0.manager"; exit 0 ;; esac\n'


class HostStandIn:
    """In a folder that is root's alone. Everybody may run its systemctl; the manager of the user `deploy` runs."""

    def __init__(self, folder: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.systemd = systemd
        self.systemctl = Systemctl(folder / "systemctl")
        script = self.systemctl.path.read_text().replace("for word;", f"{_RUNS}{_KEEPS}for word;")
        self.systemctl.path.write_text(script)
        self.manager_is("active")
        asked = folder / "systemctl.asked"
        asked.touch()
        asked.chmod(0o666)
        for name in ("control", "persistent", "runtime", "home"):
            (folder / name).mkdir()
        os.chown(folder / "home", DEPLOY, DEPLOY)
        self._journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._journal.bind(str(folder / "journal"))
        (folder / "journal").chmod(0o666)
        monkeypatch.setattr(journal, "SOCKET", str(folder / "journal"))
        monkeypatch.setattr(memory, "FOLDER", str(folder / "remembered"))
        monkeypatch.setattr(links, "SYSTEM_LAYERS", {one: str(folder / one) for one in links.SYSTEM_LAYERS})
        monkeypatch.setattr(logins, "_SYSTEMCTL", [str(self.systemctl.path), "--no-ask-password"])
        monkeypatch.setattr(pwd, "getpwnam", self._user)

    def _user(self, name: str) -> pwd.struct_passwd:
        if name == "deploy":
            return pwd.struct_passwd((name, "x", DEPLOY, DEPLOY, "", str(self.folder / "home"), "/bin/sh"))
        for entry in pwd.getpwall():
            if entry.pw_name == name:
                return entry
        raise KeyError(name)

    def manager_is(self, state: str) -> None:
        """The state of each user's manager."""
        (self.folder / "systemctl.manager").write_text(f"{state}\n")

    def asked(self) -> list[str]:
        """What systemctl was asked, but for questions about a user's manager."""
        return [one.partition(" ")[2] for one in self.systemctl.asked if "--value -- user@" not in one]

    def mask(self, layer: str, unit: str) -> Path:
        """Where the mask of a unit is, or would be."""
        return self.folder / layer / unit

    def user_mask(self, unit: str) -> Path:
        """Of the user's own manager."""
        return self.folder / "home" / ".config" / "systemd" / "user" / unit

    def remembered(self, unit: str, manager: str = "") -> Record:
        """What is remembered of it."""
        with closing(Memory(locked=False)) as one:
            return one.of(manager, unit)

    def remembered_then(self, unit: str) -> str:
        """What was remembered of it when systemctl was asked last."""
        return (self.folder / "systemctl.then" / f":{unit}").read_text()

    def remember(self, record: Record) -> None:
        """As if that had been done."""
        with closing(Memory()) as one:
            one.write(record)

    def journal(self) -> list[dict[str, str]]:
        """The entries that have come to the journal since, each with who sent it."""
        entries: list[dict[str, str]] = []
        self._journal.setblocking(False)  # noqa: FBT003
        while True:
            try:
                said = self._journal.recv(65536).decode()
            except BlockingIOError:
                return entries
            entries.append(dict(line.split("=", 1) for line in said.splitlines()))

    def end(self) -> None:
        """No journal any more."""
        self._journal.close()


def boot_id() -> str:
    """Of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
