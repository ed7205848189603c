"""How the bot's login becomes root on the hosts of the lab: by sudo, or by what LAB_RIGHTS names."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.edges.guard.text import doas_line, sudoers_line
from tests.lab.machine import command


@dataclass(frozen=True, slots=True)
class Rights:
    """A program that makes somebody root, the file in which root allows it, and the line that the product asks for."""

    program: str
    file: str
    line: Callable[[str], str]

    @property
    def said_by(self) -> str:
        """How the program calls itself in its messages; sudo-rs 0.2.5 with `-rs`, and 0.2.15 without."""
        return self.program.removesuffix("-rs")

    def admit(self, root: Path, text: str) -> None:
        """Allow what `text` says, and leave this program as the only one of its kind."""
        for other in {*BY_NAME.values()} - {self}:
            for name in (f"bin/{other.program}", f"bin/vi{other.program}", f"sbin/vi{other.program}"):
                (root / "usr" / name).unlink(missing_ok=True)
        place = root / self.file.lstrip("/")
        place.write_text(text)
        place.chmod(0o440)
        if self.program == "sudo":
            command("visudo", "-cf", place)


_FRAGMENT = "/etc/sudoers.d/maskbot"
BY_NAME = {
    "sudo": Rights("sudo", _FRAGMENT, sudoers_line),
    "sudo-rs": Rights("sudo-rs", _FRAGMENT, sudoers_line),
    "doas": Rights("doas", "/etc/doas.conf", doas_line),
}
RIGHTS = BY_NAME[os.environ.get("LAB_RIGHTS", "sudo")]
