"""What a machine needs for throw-away hosts, and the message if it lacks something."""

import os
import shutil
import subprocess
from pathlib import Path

PROGRAMS = ("systemd-nspawn", "systemctl", "sshd", "ssh", "ssh-keygen", "visudo", "cron", "nsenter", "mount")
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class LabError(Exception):
    """A failure of the lab; the text is for the person who started it."""


class NotHereError(LabError):
    """This machine cannot run a lab at all."""


def require() -> None:
    """Raise `NotHereError` with what is missing, if the lab cannot run here."""
    if os.geteuid() != 0:
        raise NotHereError("The lab boots real hosts with systemd, and only root can do that.")
    absent = [program for program in PROGRAMS if shutil.which(program, path=SEARCH) is None]
    if absent:
        raise NotHereError(f"The lab lacks {', '.join(absent)}: install the packages in tests/lab/packages.txt.")
    for place in (Path("/usr"), Path("/etc"), Path("/var")):
        if place.is_mount():
            raise NotHereError(f"{place} is a file system of its own, and a host of the lab would boot without it.")
    cgroups()


def cgroups() -> Path:
    """Where the cgroup2 hierarchy is mounted, alone or beside the older one (cgroups(7))."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(place)
    raise NotHereError(
        "The lab needs a writable cgroup2 hierarchy, and this machine shows none (an unprivileged container?)."
    )


def doubles(cgroup: Path) -> list[Path]:
    """Where systemd-nspawn makes a cgroup a second time: in the older hierarchy of a machine with both (measured)."""
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    older = (Path(place) for _, place, kind, options, *_ in mounts if kind == "cgroup" and "name=systemd" in options)
    return [place / cgroup.relative_to(cgroups()) for place in older]


def own_cgroup() -> Path:
    """The cgroup2 of this process: cgroups below it are counted with it, and are found there."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    inside = next((line.removeprefix("0::/") for line in lines if line.startswith("0::")), "")
    return cgroups() / inside


def command(*argv: str | Path, given: str = "") -> str:
    """Run a command on this machine and return its output; raises `LabError` with its message if it fails."""
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False, env={"PATH": SEARCH})
    if done.returncode != 0:
        raise LabError(f"`{' '.join(map(str, argv[:6]))}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def mount(kind: str, *argv: str | Path) -> None:
    """Mount a file system, or raise the error for machines where even root may not mount."""
    try:
        command("mount", "-t", kind, *argv)
    except LabError as refused:
        raise NotHereError(
            f"The lab cannot mount a file system of type {kind} here, and so has no hosts (an unprivileged container?)."
        ) from refused
