"""Boot a tree with systemd-nspawn in a cgroup of its own, run commands inside, and end it."""

import contextlib
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.ground import is_populated, kill, renew
from tests.lab.machine import SEARCH, LabError

GRACE_SECONDS = 3.0

# The shell enters the cgroup and then becomes nspawn, so that no process of the host is ever outside of it.
ENTER = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
OPTIONS = (
    "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe", "--resolv-conf=off", "--timezone=off",
    "--quiet", "--boot",
)  # fmt: skip


@dataclass(slots=True)
class Nspawn:
    """A tree that can be booted, entered and ended, any number of times."""

    machine: str
    root: Path
    cgroup: Path
    console: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start booting, without waiting."""
        argv = ("systemd-nspawn", f"--machine={self.machine}", f"--directory={self.root}", *OPTIONS)
        with self.console.open("ab") as console:
            self._process = subprocess.Popen(
                ("sh", "-c", ENTER, self.cgroup, *argv),
                env={"PATH": SEARCH, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,  # Ctrl-C is for the lab, which then ends its hosts in order
            )

    def is_running(self) -> bool:
        """Whether nspawn runs; it does not outlive the host."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Request a shutdown (SIGTERM, systemd-nspawn(1)), and kill everything after three seconds."""
        if self._process is not None and self.is_running():
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS)
        self.cut()

    def cut(self) -> None:
        """Kill everything in the cgroup. Never SIGKILL nspawn alone: the host would run on without it (measured)."""
        was_cut = is_populated(self.cgroup)
        if was_cut:
            kill(self.cgroup)
        if self._process is not None:
            self._process.wait()
            self._process = None
        if was_cut:
            renew(self.cgroup)

    def leader(self) -> int:
        """The process id of the host's PID 1 on this machine."""
        procs = self.cgroup / "payload" / "init.scope" / "cgroup.procs"
        try:
            return int(procs.read_text().split()[0])
        except (OSError, IndexError):
            raise LabError(f"{self.machine} does not run. Its console ended with:\n{self.last_words()}") from None

    def last_words(self) -> str:
        """The end of the console's output."""
        return self.console.read_text(errors="replace")[-2000:] if self.console.exists() else "(nothing)"

    def run(self, *argv: str, given: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside, past sshd and sudo, by entering all namespaces of PID 1 (nsenter(1))."""
        entrance = ("nsenter", f"--target={self.leader()}", "--all", "--root", "--wd", "--")
        return subprocess.run(
            (*entrance, *argv), input=given, capture_output=True, text=True, timeout=seconds, check=False, env=ROOTS_OWN
        )


ROOTS_OWN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/sh",
    "LC_ALL": "C.UTF-8",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
}
