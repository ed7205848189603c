"""Make the root of a Debian release with debootstrap, from the mirror that this machine's own apt uses."""

import shutil
import subprocess
from pathlib import Path

from tests.lab.machine import LabError

PLACE = Path(__file__).parents[3] / "var" / "systemd"
PACKAGES = Path(__file__).parents[1] / "packages.txt"
OTHER_RIGHTS = ("doas", "sudo-rs")  # installed where the release has them
NOT_EVERYWHERE = ("opendoas",)  # Debian 11 knows it as doas alone
SHOWN = {
    "systemd": "systemd",
    "sudo": "sudo",
    "sudo-rs": "sudo-rs",
    "doas": "opendoas doas",  # the first is what the second depends on where both exist
    "OpenSSH": "openssh-server",
    "Python": "python3",
}
_URIS = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian")
_QUIET = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
_APT = (*_QUIET, "apt-get", "--quiet", "--option", "Acquire::Check-Valid-Until=no")  # sid's mirror may stand still


def root_of(release: str) -> Path:
    """The root, which is made once and kept."""
    folder = PLACE / release
    root = folder / "root"
    if not (folder / "made").exists():
        print(f"systemd-versions: making {root} with debootstrap", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        words = [line.partition("#")[0].strip() for line in PACKAGES.read_text().splitlines()]
        included = ",".join(word for word in words if word and word not in NOT_EVERYWHERE)
        log = folder / "log"
        _logged(log, "debootstrap", "--variant=minbase", f"--include={included}", release, root, *_mirror())
        _logged(log, "chroot", root, *_APT, "update")
        there = [name for name in OTHER_RIGHTS if _is_known(root, name)]
        _logged(log, "chroot", root, *_APT, "install", "--yes", "--no-install-recommends", *there)
        (folder / "made").touch()
    return root


def versions(root: Path) -> dict[str, str]:
    """The versions of what counts, as the packages are called; empty for what the release does not have."""
    return {
        what: next(filter(None, map(lambda one: _version(root, one), names.split())), "")
        for what, names in SHOWN.items()
    }


def _version(root: Path, package: str) -> str:
    argv = ("chroot", root, "dpkg-query", "--show", "--showformat=${Version}", package)
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def _mirror() -> list[str]:
    """The first archive of Debian that apt knows here; else debootstrap knows one itself."""
    listed = subprocess.run(_URIS, capture_output=True, text=True, check=False).stdout.splitlines()
    return [uri for uri in listed if "security" not in uri][:1]


def _is_known(root: Path, package: str) -> bool:
    return (
        subprocess.run(("chroot", root, "apt-cache", "show", package), capture_output=True, check=False).returncode == 0
    )


def _logged(log: Path, *argv: str | Path) -> None:
    with log.open("ab") as file:
        done = subprocess.run(argv, stdout=file, stderr=file, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise LabError(f"{argv[0]} failed; the end of {log}:\n{log.read_text(errors='replace')[-1000:]}")
