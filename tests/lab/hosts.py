"""Throw-away hosts with real systemd and sshd: `with Lab() as lab: hosts = lab.boot(["web-01", "db-01"])`."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.edges.guard.text import guard
from config.critical_units import read_lists
from config.loading import SHIPPED_LIST
from config.strict_yaml import read_document
from tests.lab.endings import in_order, leave_alone, wait_for_one
from tests.lab.ground import BASE, Ground
from tests.lab.machine import LabError, require
from tests.lab.nspawn import Nspawn
from tests.lab.rights import RIGHTS
from tests.lab.tree import LINGERING, LOGIN, furnish, individualise, install_guard, laid_over, make_key, mount_over

# The tree below the overlays; another one (made by script/systemd-versions) has another version of systemd.
ROOT = Path(os.environ.get("LAB_ROOT", "/"))
CRITICAL, _ = read_lists(read_document(SHIPPED_LIST))
CONFIGURATION = f"login: {LOGIN}\nusers: {LINGERING}\nforeign-masks: yes\n"
ADDRESS = "127.0.0.1"
BOOT_SECONDS = 60.0


def admitted(login: str) -> str:
    """The rights of the bot's login on a host: exactly what the product asks for."""
    return RIGHTS.line(login)


@dataclass(frozen=True, slots=True)
class LabHost:
    """One booted host, reached as the bot does, or as root behind the bot's back."""

    name: str
    address: str
    port: int
    login: str
    host_key: str  # the public line, `ssh-ed25519 AAAA...`
    key_file: Path  # the private key of the bot's login
    known_hosts: Path  # the same host key for an OpenSSH client
    root: Path
    nspawn: Nspawn = field(repr=False, compare=False)

    def run(self, *argv: str, given: str = "", seconds: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a command inside as root, independent of the bot's login; the caller checks the exit code."""
        return self.nspawn.run(*argv, given=given, seconds=seconds)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Some properties of a unit, as systemd has them now (systemctl(1), `show`)."""
        wanted = (f"--property={name}" for name in properties)
        lines = self.run("systemctl", "show", *wanted, "--", unit).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file with its directories to the host's disk; owned by root, except in a home."""
        self.run("mkdir", "-p", "--", str(Path(path).parent))
        written = self.run("sh", "-c", 'cat >"$1" && chmod "$2" "$1"', "write", path, f"{mode:o}", given=text)
        if written.returncode != 0:
            raise LabError(f"{self.name}: cannot write {path}: {written.stderr.strip()}")

    def stop(self) -> None:
        """Shut down: units are stopped in order, but everything is killed after three seconds."""
        self.nspawn.stop()

    def start(self) -> None:
        """Boot again with the same disk and port, and wait for the login."""
        self.nspawn.start()
        self.wait()

    def reboot(self) -> None:
        """Reboot: runtime masks, transient units and processes go; the disk stays."""
        self.stop()
        self.start()

    def start_transient(self) -> None:
        """Run transient-one.service, which has no file anywhere and is gone for good once it stops."""
        self.run("systemd-run", "--quiet", "--unit=transient-one", "sleep", "9999")

    def ssh(self, *command: str) -> tuple[str, ...]:
        """The argv of an OpenSSH client that logs in as the bot does."""
        known = f"UserKnownHostsFile={self.known_hosts}"
        settings = ("BatchMode=yes", "KexAlgorithms=curve25519-sha256", known)
        options = (word for setting in settings for word in ("-o", setting))
        where = ("-i", str(self.key_file), "-p", str(self.port), f"{self.login}@{self.address}")
        return "ssh", "-F", "none", *options, *where, *command

    def wait(self) -> None:
        """Wait until a login over SSH succeeds and everything that starts at boot has started, or failed."""
        deadline = time.monotonic() + BOOT_SECONDS
        while not (self._listens() and self._logs_in()):
            if time.monotonic() > deadline or not self.nspawn.is_running():
                raise LabError(f"{self.name} did not come up. Its console ended with:\n{self.nspawn.last_words()}")
            time.sleep(0.02)
        self.run("systemctl", "is-system-running", "--wait", seconds=BOOT_SECONDS)
        self.run("systemctl", "--user", f"--machine={LINGERING}@.host", "is-system-running", "--wait")

    def _listens(self) -> bool:
        """Whether sshd listens, without connecting: sshd logs an error for a connection that sends nothing."""
        return f"0100007F:{self.port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()

    def _logs_in(self) -> bool:
        return subprocess.run(self.ssh("true"), capture_output=True, check=False).returncode == 0


class Lab:
    """Some hosts on this machine, for the duration of a `with`; nothing of them is left behind, whatever ends it."""

    def __init__(self, *, sudoers: Callable[[str], str] = admitted, base: Path = BASE) -> None:
        self._sudoers = sudoers
        self._base = base

    def __enter__(self) -> Self:
        require()
        with contextlib.ExitStack() as stack:
            stack.enter_context(in_order())
            self._ground = Ground.prepare(self._base)
            stack.callback(self._ground.remove)
            self._furnish()
            self._ending = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        leave_alone()
        self._ending.close()

    def boot(self, names: Sequence[str], *, control: bool = True) -> dict[str, LabHost]:
        """Boot hosts side by side; `control` says whether they are set up for masks in the control layer."""
        hosts = {name: self._build(name, control=control) for name in names}
        for host in hosts.values():
            host.nspawn.start()
        for host in hosts.values():
            host.wait()
            host.start_transient()
            if failed := host.run("systemctl", "--failed", "--plain", "--no-legend").stdout:
                raise LabError(f"{host.name} booted with failed units:\n{failed}")
        return hosts

    def _furnish(self) -> None:
        here = self._ground.directory
        self._key_file = here / "bot_ed25519"
        public_key = make_key(self._key_file, comment=LOGIN)
        with laid_over(here / "common.root", ROOT, upper=here / "common") as root:
            furnish(root, sudoers=self._sudoers(LOGIN), public_key=public_key)
            install_guard(root, guard([unit.pattern for unit in CRITICAL]), CONFIGURATION)

    def _build(self, name: str, *, control: bool) -> LabHost:
        here = self._ground.directory / name
        here.mkdir()
        root, port = here / "root", _free_port()
        mount_over(root, self._ground.directory / "common", ROOT, upper=here / "disk")
        host_key = individualise(root, name, address=ADDRESS, port=port, control=control)
        machine = f"{name}-{self._ground.directory.name}"
        nspawn = Nspawn(machine, root, self._ground.cgroup(name), here / "console")
        self._ending.callback(nspawn.cut)  # the disk is thrown away, so no orderly shutdown is needed
        known_hosts = here / "known_hosts"
        known_hosts.write_text(f"[{ADDRESS}]:{port} {host_key}\n")
        return LabHost(name, ADDRESS, port, LOGIN, host_key, self._key_file, known_hosts, root, nspawn)


def _free_port() -> int:
    """A port below the range that Linux assigns, so that it is still free when a host boots again."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
            return port


def main(names: Sequence[str]) -> int:
    """`python -m tests.lab.hosts web-01 web-02`: run hosts until Ctrl-C."""
    try:
        with contextlib.suppress(KeyboardInterrupt), Lab() as lab:
            for host in lab.boot(names or ("web-01",)).values():
                print(f"{host.name}: {' '.join(host.ssh())}")
                print(f"    as root: nsenter --target {host.nspawn.leader()} --all --root --wd bash -l")
            print("Ctrl-C ends them.", flush=True)
            wait_for_one()
    except LabError as cannot:
        print(cannot, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
