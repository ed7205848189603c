"""A /proc of a few processes, which tests make: in which control groups they run, and what they hold open."""

import os
from pathlib import Path


class Processes:
    """In this folder. What is above our own process ends with the first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def are(self, *groups: str) -> None:
        """Our own process and those above it, each with the file that names its control groups."""
        pids = [os.getpid(), *range(2, len(groups) + 1), 1]
        for pid, parent, text in zip(pids, pids[1:], groups, strict=False):
            self.has(pid, text, parent)

    def has(self, pid: int, groups: str, parent: int = 1) -> Path:
        """One more process, with signs in its name that could mislead a reader."""
        folder = self.folder / str(pid)
        folder.mkdir(parents=True)
        (folder / "cgroup").write_text(groups)
        (folder / "stat").write_text(f"{pid} (sh (7) S 8) S {parent} 777 9 0\n")
        return folder

    def hold(self, pid: int, number: int, file: str, device: str = "") -> None:
        """A file that a process has open, for a network device where it is one's."""
        for name in ("fd", "fdinfo"):
            (self.folder / str(pid) / name).mkdir(exist_ok=True)
        (self.folder / str(pid) / "fd" / str(number)).symlink_to(file)
        lines = [f"pos:\t{number}", "flags:\t02", *([f"iff:\t{device}"] if device else [])]
        (self.folder / str(pid) / "fdinfo" / str(number)).write_text("\n".join([*lines, ""]))
