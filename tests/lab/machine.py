"""What a machine must be able to do before it can hold throw-away hosts, and one sentence where it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

PROGRAMS = ("systemd-nspawn", "systemctl", "sshd", "ssh", "ssh-keygen", "visudo", "cron", "nsenter", "mount")
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class LabError(Exception):
    """The lab did not do what it should; the text is for the person who asked for it."""


class NotHereError(LabError):
    """This machine cannot hold a lab at all."""


def require() -> None:
    """Raise `NotHereError` with what is missing, if the lab cannot work here."""
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


def own_cgroup() -> Path:
    """The cgroup2 that this process is in: what it makes below is counted with it, and found where it is."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    inside = next((line.removeprefix("0::/") for line in lines if line.startswith("0::")), "")
    return cgroups() / inside


def command(*argv: str | Path, given: str = "") -> str:
    """Run one command of this machine and return what it printed; `LabError` with its own words if it fails."""
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False, env={"PATH": SEARCH})
    if done.returncode != 0:
        raise LabError(f"`{' '.join(map(str, argv[:6]))}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def mount(kind: str, *argv: str | Path) -> None:
    """mount(8) for a file system of one kind, or the sentence about machines where even root may not."""
    try:
        command("mount", "-t", kind, *argv)
    except LabError as refused:
        raise NotHereError(
            f"The lab cannot mount a file system of type {kind} here, and so has no hosts (an unprivileged container?)."
        ) from refused
