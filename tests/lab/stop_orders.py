"""Measure in which order a unit's own stop commands always run: `python -m tests.lab.stop_orders`, as root.

The link before the stop, or the stop before the link; undisturbed, with repeated daemon-reloads by somebody else, and
with something that starts the unit as soon as it is down. The table is in docs/systemd.md.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from tests.lab.hosts import Lab, LabHost

UNIT = "measured.service"
LOG = "/run/measured"
RUNS = 3

# Undisturbed its stop takes some four seconds. A unit without its settings gets the manager's default of one second.
SERVICE = f"""[Service]
ExecStart=/bin/sh -c 'echo start >>{LOG}; trap "sleep 2; echo clean >>{LOG}; exit 0" TERM; while :; do sleep 0.1; done'
ExecStop=/bin/sh -c 'sleep 0.4; echo stop >>{LOG}'
ExecStop=/bin/sh -c 'sleep 0.4; echo stop >>{LOG}'
ExecStop=/bin/sh -c 'sleep 0.4; echo stop >>{LOG}'
ExecStopPost=/bin/sh -c 'echo post >>{LOG}'
TimeoutStopSec=20
KillMode=mixed
"""
SOCKET = "[Socket]\nListenStream=/run/measured.sock\n"
TIMER = "[Timer]\nOnUnitInactiveSec=1ms\nAccuracySec=1ms\n"
DEFAULT = "[Manager]\nDefaultTimeoutStopSec=1s\n"

RELOADS = "while :; do systemctl daemon-reload; sleep 0.05; done"
TALKS = """while :; do
  perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new("/run/measured.sock")'; sleep 0.02
done"""
RESTART = "Restart=always"
BESIDE = {
    "nothing": "",
    "daemon-reload every 50 ms": RELOADS,
    "a socket that is hit": TALKS,
    "a timer": "",
    RESTART: "",
}

WORDS = f"""
up() {{ case $(systemctl show -p ActiveState --value {UNIT}) in inactive | failed) return 1 ;; esac; }}
stop() {{ systemctl stop --no-block {UNIT}; sleep 0.02; while up && is_stopping; do sleep 0.02; done; }}
is_stopping() {{ [ "$(systemctl show -p ActiveState --value {UNIT})" = deactivating ]; }}
link() {{ systemctl mask --quiet --no-reload {UNIT}; }}
unlink() {{ systemctl unmask --quiet --no-reload {UNIT}; }}
read_files() {{ systemctl daemon-reload; }}
"""
ORDERS = {
    "link, stop, reload": "link; for _ in 1 2 3 4; do stop; up || break; done; read_files; up && stop",
    "stop, link, reload": """
        for _ in 1 2 3 4; do
          stop; up && continue
          link; if up; then unlink; continue; fi
          read_files; if up; then unlink; read_files; continue; fi
          break
        done""",
}


@dataclass(frozen=True, slots=True)
class Stopped:
    """The result of one run."""

    said: Counter[str]
    load: str
    active: str

    @property
    def lost(self) -> int:
        """How many of the unit's own stop steps (three commands, its handler, the last command) did not run."""
        ended = self.said["start"] - (self.active == "active")
        return 5 * ended - sum(self.said[word] for word in ("stop", "clean", "post"))


def measure(host: LabHost, order: str, beside: str) -> Stopped:
    """Run one stop and mask in that order, with that disturbance."""
    host.run("rm", "-f", LOG)
    host.write(f"/run/systemd/system/{UNIT}.d/restart.conf", f"[Service]\n{RESTART if beside == RESTART else ''}\n")
    host.run("systemctl", "daemon-reload")
    trigger = {"a socket that is hit": "measured.socket", "a timer": "measured.timer"}.get(beside)
    host.run("systemctl", "start", UNIT, *([trigger] if trigger else []))
    noise = f"( {BESIDE[beside]} ) >/dev/null 2>&1 & noise=$!; sleep 0.2\n" if BESIDE[beside] else "noise=\n"
    end = '[ -z "$noise" ] || kill "$noise"'
    ran = host.run("sh", "-c", f"{WORDS}{noise}{ORDERS[order]}\n{end}", seconds=120)
    if ran.returncode not in (0, 1):
        raise SystemExit(f"{order}: {ran.stderr}")
    seen = host.show(UNIT, "LoadState", "ActiveState")
    said = Counter(host.run("cat", LOG).stdout.split())
    host.run(
        "sh", "-c", f"systemctl stop measured.socket measured.timer; systemctl unmask {UNIT}; systemctl stop {UNIT}"
    )
    host.run("systemctl", "reset-failed")
    return Stopped(said, seen["LoadState"], seen["ActiveState"])


def main(only: Sequence[str]) -> int:
    """Print the table, or only the rows for the given names."""
    with Lab() as lab:
        (host,) = lab.boot(["web-01"]).values()
        host.write(f"/usr/lib/systemd/system/{UNIT}", SERVICE)
        host.write("/usr/lib/systemd/system/measured.socket", SOCKET)
        host.write("/usr/lib/systemd/system/measured.timer", TIMER)
        host.write("/etc/systemd/system.conf.d/measured.conf", DEFAULT)
        host.run("systemctl", "daemon-reexec")
        print(host.run("systemctl", "--version").stdout.partition("\n")[0])
        print(
            "| order | meanwhile | runs | own stop steps lost | started again | at the end |\n|---|---|---|---|---|---|"
        )
        for order, beside in product(ORDERS, only or BESIDE):
            all_runs = [measure(host, order, beside) for _ in range(RUNS)]
            lost = ", ".join(str(one.lost) for one in all_runs)
            again = ", ".join(str(one.said["start"] - 1) for one in all_runs)
            ends = ", ".join(sorted({f"{one.load} {one.active}" for one in all_runs}))
            print(f"| {order} | {beside} | {RUNS} | {lost} | {again} | {ends} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.TimeoutExpired as slow:
        sys.exit(str(slow))
