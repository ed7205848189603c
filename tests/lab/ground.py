"""A directory and cgroups for one lab, which can be removed as a whole, even after a crash."""

import fcntl
import fnmatch
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.machine import LabError, cgroups, command, doubles, mount, own_cgroup

BASE = Path("/run/maskbot-lab")
NSPAWN = Path("/run/systemd/nspawn")
DEATH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ground:
    """One lab's directory.

    It is a tmpfs, because an overlay's upper layer cannot be on an overlay (`/` in many containers).

    One umount then removes everything that a lab wrote.
    """

    directory: Path
    lock: int

    @classmethod
    def prepare(cls, base: Path = BASE) -> "Ground":
        """Remove what killed labs left under `base`, then make the lab's own directory."""
        base.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _alone(base):
            for left in base.iterdir():
                if left.is_dir():
                    _clear_if_abandoned(left)
            directory = base / secrets.token_hex(4)
            directory.mkdir()
            # The lock is beside the directory, because it must exist before the mount and after it.
            lock = os.open(f"{directory}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            ground = cls(directory, lock)
            try:
                mount("tmpfs", "-o", "mode=0755,size=50%", "maskbot-lab", directory)
            except LabError:
                ground.remove()
                raise
            return ground

    def cgroup(self, name: str) -> Path:
        """A new cgroup, a host's own: hosts that share one cannot stop their units properly (measured)."""
        path = own_cgroup() / f"maskbot-lab-{self.directory.name}-{name}"
        path.mkdir()
        return path

    def remove(self) -> None:
        """Kill what still runs here and remove everything."""
        _clear(self.directory)
        os.close(self.lock)


def kill(cgroup: Path) -> None:
    """Kill everything in a cgroup at once, like a power cut: host and container manager end together (cgroups(7))."""
    (cgroup / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + DEATH_SECONDS
    while is_populated(cgroup):
        if time.monotonic() > deadline:
            raise LabError(f"Processes in {cgroup} survive SIGKILL.")
        time.sleep(0.005)


def renew(cgroup: Path) -> None:
    """Replace a cgroup that was killed once: Linux would also kill a process that is started into a new cgroup below it

    (Linux 6.18 with systemd 257, measured).
    """
    _remove_cgroup(cgroup)
    cgroup.mkdir()


def is_populated(cgroup: Path) -> bool:
    """Whether a process lives in the cgroup or below."""
    return "populated 1" in (cgroup / "cgroup.events").read_text()


def cgroups_of(pattern: str) -> list[Path]:
    """Cgroups with such a name, wherever their lab was started; others may come and go meanwhile."""
    return [Path(place, name) for place, names, _ in os.walk(cgroups()) for name in fnmatch.filter(names, pattern)]


def mounted_under(directory: Path) -> list[Path]:
    """The mount points at and below a directory, innermost first."""
    places = [Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines()]
    return sorted((place for place in places if place.is_relative_to(directory)), reverse=True)


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    """Hold a lock, so that two labs that start together do not remove each other's files."""
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _clear_if_abandoned(directory: Path) -> None:
    """Remove a lab whose process does not hold its lock any more."""
    with Path(f"{directory}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        _clear(directory)


def _clear(directory: Path) -> None:
    for cgroup in cgroups_of(f"maskbot-lab-{directory.name}-*"):
        kill(cgroup)
        _remove_cgroup(cgroup)
    for place in mounted_under(directory):
        _forget_nspawn(place)
        command("umount", place)
    directory.rmdir()
    Path(f"{directory}.lock").unlink(missing_ok=True)


def _forget_nspawn(root: Path) -> None:
    """Remove what systemd-nspawn leaves after a power cut: a lock by device and inode, a directory by name."""
    tree = root.stat()
    (NSPAWN / "locks" / f"inode-{tree.st_dev}:{tree.st_ino}").unlink(missing_ok=True)
    shutil.rmtree(NSPAWN / "propagate" / f"{root.parent.name}-{root.parent.parent.name}", ignore_errors=True)


def _remove_cgroup(cgroup: Path) -> None:
    """And its doubles."""
    for tree in (cgroup, *doubles(cgroup)):
        for path, _, _ in os.walk(tree, topdown=False):
            Path(path).rmdir()
