"""`python -m tests.benchmarks.waiting`: what thousands of requests that wait for approval cost a running bot.

The ordinary `maskbot run`, connected to the Slack stand-in, on a SQLite file: first with nothing in it (the floor),
then with the requests, each with its card in Slack. What is measured is what the kernel says of that process.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.core.changes import Approval, Ask, Change, Request, Stage, Target, Verb
from bot.core.look import parse_look
from bot.core.people import PersonId, Place
from bot.core.units import UnitName
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from tests.lab.demo import workspace
from tests.lab.installation import ROOT, Bot, Installation
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import TEAM

ALLOWED_CPU, ALLOWED_MEMORY = 2.0, 150.0  # percent of a core, MB
SETTLE = 5.0  # seconds until whatever a start brings with it is over
MB = 1024 * 1024
WORKER = UnitName("worker.service")
LOOK = ROOT / "tests/core/recorded/surroundings.txt"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process over some seconds."""

    cpu: float  # percent of one core
    resident: float  # MB
    proportional: float  # MB, shared pages shared out
    threads: int


def main() -> int:
    """Print the floor, then the cost, with what is allowed; 1 if it is more."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.waiting", description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    given = parser.parse_args()
    with SlackLab() as slack:
        floor = _cost(slack, 0, given.seconds)
        _print("no request", floor)
        cost = _cost(slack, given.requests, given.seconds)
    _print(f"{given.requests} waiting", cost)
    print(f"  allowed are {ALLOWED_CPU:.0f} % of a core and {ALLOWED_MEMORY:.0f} MB")
    return 0 if cost.cpu < ALLOWED_CPU and cost.resident < ALLOWED_MEMORY else 1


def _cost(slack: SlackLab, requests: int, seconds: float) -> Cost:
    with _installation(slack) as installation:
        if requests:
            _fill(installation.environment["MASKBOT_DATABASE_URL"], slack, requests)
        with Bot(installation) as bot:
            time.sleep(SETTLE)
            cost = measured(bot.pid, seconds)
        told = installation.maskbot("audit", "verify")
        assert told.returncode == 0, told.stderr
        return cost


def measured(pid: int, seconds: float) -> Cost:
    """What the kernel says (proc(5)): ticks of the processor, pages in memory."""
    before, began = _ticks(pid), time.monotonic()
    time.sleep(seconds)
    used, took = (_ticks(pid) - before) / os.sysconf("SC_CLK_TCK"), time.monotonic() - began
    memory = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    rss, pss = (int(memory[name].split()[0]) * 1024 / MB for name in ("Rss", "Pss"))
    return Cost(100 * used / took, rss, pss, len(list(Path(f"/proc/{pid}/task").iterdir())))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # utime, stime


@contextmanager
def _installation(slack: SlackLab) -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="maskbot-waiting-"))
    try:
        key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        installation = Installation.write(folder, [], workspace(slack), settings={"MASKBOT_SSH_KEY_FILE": str(key)})
        shutil.copy(ROOT / "config/hosts.yaml", folder / "config")  # nobody asks them anything
        yield installation
    finally:
        shutil.rmtree(folder)


def _fill(url: str, slack: SlackLab, count: int) -> None:
    """Requests by many people for units on many hosts, each waiting until tomorrow, its card posted."""
    store, now = Database(url, clock=SystemClock(), instance="benchmark"), datetime.now(UTC)
    seen = parse_look(LOOK.read_text(), WORKER)
    approval = Approval("prod", 1, ("sre",), now + timedelta(days=1), timedelta(days=1))
    with store.exclusive():
        for number in range(count):
            request, _ = store.add(_asked(number, now, slack.channels["incident"]), events=())
            request = request.on_target(planned=seen, before=seen, digest=f"{number:064x}")
            request = store.save(request.move(Stage.WAITING, approval=approval))
            card = store.due_message("benchmark")
            assert card
            ts = f"{now.timestamp():.0f}.{number:06}"
            store.said(card, channel=request.ask.place.channel, ts=ts, version=request.version)
    store.close()


def _asked(number: int, now: datetime, channel: str) -> Request:
    host, person = f"web-{number % 100:02}", number % 50
    change = Change(Verb.MASK, host, WORKER)
    ask = Ask(change, PersonId(TEAM, f"U{person:09}"), f"person {person}", Place(channel), f"INC-{number}: runaway job")
    return Request(f"r{number:010x}", f"key-{number}", ask, now, (Target(host, WORKER),), due_at=now)


def _print(what: str, cost: Cost) -> None:
    print(
        f"  {what:<14} {cost.cpu:6.2f} % of a core   {cost.resident:6.1f} MB resident"
        f" ({cost.proportional:.1f} proportional)   {cost.threads} threads",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
