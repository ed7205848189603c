"""`python -m tests.benchmarks.looks`: what a look costs at 300 and at 3,000 loaded units, on a real host, over SSH."""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence

from bot.core.hosts.inventory import Host
from bot.core.systemd.look import SIZES, look_argv, parse_look
from bot.core.systemd.units import UnitName
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from config.host_keys import read_public_key
from tests.lab.hosts import Lab, LabHost

UNIT = UnitName("worker.service")  # with an alias, and two units that stop with it
LOADED = (300, 3000)
ALLOWED_MS, ALLOWED_RATIO = 60.0, 2.0
_MANY = "/run/systemd/system/many"


def main() -> int:
    """Print the time of each kind of look; return 1 if a look for a decision exceeds its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.looks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with Lab() as lab:
        host = lab.boot(["web-01"])["web-01"]
        took = [_measured(host, count, rounds) for count in LOADED]
    small, large = (max(statistics.median(one[size]) for size in ("full", "acting")) for one in took)
    print(f"  limit: {ALLOWED_MS:.0f} ms at {LOADED[0]} units, and {ALLOWED_RATIO} times that at {LOADED[1]}")
    return 0 if small <= ALLOWED_MS and large <= ALLOWED_RATIO * ALLOWED_MS else 1


def _measured(host: LabHost, count: int, rounds: int) -> Mapping[str, Sequence[float]]:
    loaded = _load(host, count)
    print(f"looks at a host with {loaded} loaded units ({rounds} rounds; SSH and parsing included)")
    known = Host(
        host.name, host.address, host.port, host.login, "lab", pins=frozenset({read_public_key(host.host_key)})
    )
    words = {size: look_argv(UNIT, size=size) for size in SIZES}
    took: dict[str, list[float]] = {name: [] for name in words}
    hosts = GuardedHosts(SshHosts(host.key_file))
    try:
        for _ in range(rounds):
            for name, argv in words.items():
                began = time.perf_counter()
                said = hosts.run(known, argv, deadline=60).stdout
                parse_look(said, UNIT)
                took[name].append((time.perf_counter() - began) * 1000)
    finally:
        hosts.close()
    for name, times in took.items():
        low, middle, high = min(times), statistics.median(times), max(times)
        print(f"  {name:<8} {low:8.1f} {middle:8.1f} {high:8.1f}   (min, median, max, in ms)", flush=True)
    return took


def _load(host: LabHost, count: int) -> int:
    """Load that many units without processes into systemd's memory, by a target that comes after all of them."""
    more = count - len(_units(host))
    names = [f"a-unit-of-the-benchmark-{number:04}.service" for number in range(more)]
    text = "[Service]\\nExecStart=/usr/bin/true\\n"
    host.run(
        "sh",
        "-c",
        f"cd /run/systemd/system; while read -r name; do printf '{text}' >$name; done",
        given="\n".join(names),
    )
    host.write(f"{_MANY}-{count}.target", "[Unit]\n" + "".join(f"After={name}\n" for name in names))
    host.run("systemctl", "daemon-reload", seconds=120)
    host.run("systemctl", "start", f"many-{count}.target", seconds=120)
    return len(_units(host))


def _units(host: LabHost) -> list[str]:
    return host.run("systemctl", "list-units", "--all", "--plain", "--no-legend").stdout.splitlines()


if __name__ == "__main__":
    raise SystemExit(main())
