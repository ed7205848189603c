"""`script/soak`: the nightly tests, then half an hour under faults and kills; `--kills`: fifty kills at each point."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.kills.mortal import Maker
from tests.kills.points import POINTS
from tests.kills.rounds import Lane, Round
from tests.lab.hosts import Lab, LabHost
from tests.lab.installation import ROOT
from tests.lab.postgres import Postgres, postgres
from tests.lab.slack.lab import SlackLab
from tests.soak.fleet import Fleet, running_fleet
from tests.soak.report import of_kills, of_soak, write_part
from tests.soak.run import Plan, soak

HOSTS = ("web-01", "web-02", "db-01")
DATABASES = ("SQLite", "PostgreSQL")
NIGHTLY = ROOT / "tests/soak/nightly"


def main() -> int:
    """Run what is asked for, write the report, and exit 0 if no promise was broken and every test passed."""
    parser = argparse.ArgumentParser(prog="script/soak", description=__doc__)
    parser.add_argument("--kills", action="store_true", help="kill at every point instead")
    parser.add_argument("--tests", action="store_true", help="run the nightly tests alone")
    parser.add_argument("--points", nargs="+", choices=POINTS, default=[*POINTS], help="to kill at (all)")
    parser.add_argument("--rounds", type=int, default=50, help="kills at each point on each database (50)")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak (30), or at most of the kills")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of what happens when")
    given = parser.parse_args()
    if given.kills:
        return _kills(given.points, given.rounds, given.minutes * 60)
    code = _tests()
    if not given.tests:
        code = _soak(given.minutes * 60, given.seed) or code
    if code:
        _say("script/soak: FAILED")
    return code


def _tests() -> int:
    """Named one by one, since pytest finds none of them by itself."""
    files = [str(file) for file in sorted(NIGHTLY.glob("*.py")) if file.name != "__init__.py"]
    failed = subprocess.run([sys.executable, "-m", "pytest", *files], cwd=ROOT, check=False).returncode
    _say(f"the nightly tests {'FAILED' if failed else 'passed'}")
    return failed


def _soak(seconds: float, seed: int) -> int:
    with Lab() as lab, SlackLab() as slack, postgres() as cluster:
        hosts = lab.boot(HOSTS)
        with running_fleet(slack, hosts, cluster) as fleet:
            soaked = soak(fleet, Plan(seconds, seed=seed), _say)
            if soaked.broken:
                _keep_logs(fleet)
    write_part(f"Soak of {seconds / 60:g} minutes", of_soak(soaked))
    _say(f"{len(soaked.broken)} promises broken")
    for line in soaked.broken:
        _say(f"  {line}")
    return 1 if soaked.broken else 0


def _keep_logs(fleet: Fleet) -> None:
    """Keep the log of each bot since its last start, to find the cause in."""
    for number, bot in enumerate(fleet.bots):
        (ROOT / f"var/soak-{number}.log").write_text(bot.output)


def _kills(points: Sequence[str], per_point: int, seconds: float) -> int:
    wanted = deque((on, point) for _ in range(per_point) for point in points for on in DATABASES)
    done: dict[str, list[Round]] = {on: [] for on in DATABASES}
    deadline, all_of_them = time.monotonic() + seconds, len(wanted)

    def work(lanes: Mapping[str, Lane]) -> None:
        while wanted and time.monotonic() < deadline:
            on, point = wanted.popleft()
            one = lanes[on].round(point)
            done[on].append(one)
            verdict = "kept" if not one.broken else f"BROKEN: {one.broken}"
            _say(f"{all_of_them - len(wanted)} of {all_of_them}: {on}, {point}, {one.seconds:.1f} s: {verdict}")

    with Lab() as lab, postgres() as cluster, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maskbot-kills-")))
        hosts = lab.boot(HOSTS).values()
        lanes = [_lanes(host, folder, stack.enter_context(Maker()), cluster) for host in hosts]
        with ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(work, lanes))
    write_part("Kills" if [*points] == [*POINTS] else f"Kills at {', '.join(points)}", of_kills(done, per_point))
    broken = [one for rounds in done.values() for one in rounds if one.broken]
    _say(f"{sum(map(len, done.values()))} kills, {len(broken)} with a broken promise")
    return 1 if broken else 0


def _lanes(host: LabHost, folder: Path, maker: Maker, cluster: Postgres) -> dict[str, Lane]:
    """One host serves both databases, in turn."""
    on_file, on_server = (
        Lane(host, folder=folder / on, maker=maker, cluster=where)
        for on, where in zip(DATABASES, (None, cluster), strict=True)
    )
    return dict(zip(DATABASES, (on_file, on_server), strict=True))


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
