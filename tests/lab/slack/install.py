"""Install the Slack stand-in, pinned by the lock file beside this module and by the hash of its binary.

`python -m tests.lab.slack.install [DIRECTORY]` does it ahead of time; otherwise the first start does.
"""

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.lab.machine import LabError, NotHereError

HERE = Path(__file__).resolve().parent
PLACE = HERE.parent.parent.parent / "var" / "local-slack"
BINARY = Path("node_modules/local-slack-linux-x64/bin/local-slack")
SHA256 = "3332007b797969d835f694b463ac526f7ef1fc66afac93f950f585105fe4815f"
FETCH_SECONDS = 300


def install(directory: Path = PLACE) -> Path:
    """The path of the checked binary in `directory`, fetched by npm if it is not there yet.

    Raises `NotHereError` where it cannot be had, `LabError` if what was fetched is not what we know.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotHereError(f"The Slack stand-in is published for Linux on x86-64, and this is {platform.machine()}.")
    binary = directory / BINARY
    if not binary.exists():
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second process waits for the first, then finds nothing to do
            if not binary.exists():
                _fetch(directory)
    if _digest(binary) != SHA256:
        raise LabError(f"{binary} is not the Slack stand-in we know; remove {directory} to fetch it again.")
    return binary


def _fetch(directory: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotHereError("The Slack stand-in comes by npm: install the packages in tests/lab/packages-slack.txt.")
    # Moved into place when it is complete, because readers take no lock.
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=directory) as fetching:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, fetching)
        argv = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", f"{fetching}/cache")
        done = subprocess.run(argv, cwd=fetching, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
        if done.returncode != 0:
            raise NotHereError(f"npm could not fetch the Slack stand-in: {done.stderr.strip()[-500:]}")
        (Path(fetching) / BINARY).chmod(0o755)
        shutil.rmtree(directory / "node_modules", ignore_errors=True)
        (Path(fetching) / "node_modules").rename(directory / "node_modules")


@cache
def _digest(binary: Path) -> str:
    with binary.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


if __name__ == "__main__":
    print(install(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else PLACE))
