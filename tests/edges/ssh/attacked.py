"""A process with the bot's SSH that asks a host several times, and prints by how much its memory grew at its peak."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bot.core.hosts.inventory import Host
from bot.edges.ssh.hosts import SshHosts
from bot.errors import HostError, OutcomeUnknown

AT_ONCE, TIMES = 3, 9


def main(key_file: str, good_port: str, bad_port: str, role: str, login: str, *pins: str) -> None:
    """Ask a host that is well, so that all is loaded; then ask the attacker and keep every error, as a log might.

    With the role `bastion` the attacker is on the way to the host.
    """
    hosts = SshHosts(Path(key_file))
    good = Host("web-01", "127.0.0.1", int(good_port), login, "test", pins=frozenset(pins))
    bad = replace(good, port=int(bad_port))
    if role == "bastion":
        bad = replace(good, via=replace(bad, name="bastion"))
    hosts.run(good, ("true",), deadline=10)

    def ask(_: int) -> HostError | OutcomeUnknown | None:
        try:
            hosts.run(bad, ("true",), deadline=10)
        except (HostError, OutcomeUnknown) as error:
            return error
        return None

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda _: hosts.run(good, ("true",), deadline=10), range(AT_ONCE)))
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (proc(5))
        before = _status("VmRSS")
        errors = list(threads.map(ask, range(TIMES)))
    said = sorted({str(error) for error in errors})
    sys.stdout.write(json.dumps({"grown": _status("VmHWM") - before, "kept": _status("VmRSS") - before, "said": said}))
    hosts.close()


def _status(name: str) -> int:
    """A number of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main(*sys.argv[1:])
