"""`python -m tests.benchmarks.waiting`: what thousands of requests that wait for approval cost a running bot.

The ordinary `maskbot run`, connected to the Slack stand-in, on a SQLite file: first with nothing in it (the floor),
then with the requests, each with its card in Slack. What is measured is what the kernel says of that process, once it
has looked at each of them after its start, and only if none of them moves meanwhile. The hosts are not watched: what
that costs depends on how many there are.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bot.core.people.identity import PersonId, Place
from bot.core.requests import Approval, Ask, Change, Escalation, Request, Stage, Target, Verb
from bot.core.requests.escalation import REMIND
from bot.core.systemd.look import parse_look
from bot.core.systemd.units import UnitName
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.ports import Query
from config.loading import load
from config.settings import Settings
from tests.lab.demo import workspace
from tests.lab.installation import ROOT, Bot, Installation
from tests.lab.keys import KEYS
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import TEAM

ALLOWED_CPU, ALLOWED_MEMORY = 2.0, 150.0  # percent of a core, MB
SETTLE = 5.0  # seconds until what is in hand is over, once nothing is due
PATIENCE = 300.0  # seconds for a look at every request
MB = 1024 * 1024
HOSTS = [f"web-{number:02}" for number in range(100)]
ASKED_AGO, DECIDE_WITHIN = timedelta(minutes=90), timedelta(days=1)  # so the next reminder is an hour away
WORKER = UnitName("worker.service")
LOOK = ROOT / "tests/core/recorded/surroundings.txt"


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one process over some seconds."""

    cpu: float  # percent of one core
    resident: float  # MB
    proportional: float  # MB, shared pages shared out
    threads: int


def main() -> int:
    """Print the baseline, then the cost and its limit; return 1 if it is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.waiting", description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    given = parser.parse_args()
    with SlackLab() as slack:
        floor = _cost(slack, 0, given.seconds)
        _print("no request", floor)
        cost = _cost(slack, given.requests, given.seconds)
    _print(f"{given.requests} waiting", cost)
    print(f"  limit: {ALLOWED_CPU:.0f} % of a core and {ALLOWED_MEMORY:.0f} MB")
    return 0 if cost.cpu < ALLOWED_CPU and cost.resident < ALLOWED_MEMORY else 1


def _cost(slack: SlackLab, requests: int, seconds: float) -> Cost:
    with _installation(slack) as installation, closing(_store(installation)) as store:
        _fill(store, installation, slack, requests)
        with Bot(installation) as bot:
            _let_settle(store)
            before = _state(store)
            cost = measured(bot.pid, seconds)
            assert before == _state(store), "something moved, so this is no measurement of waiting"
        assert store.count(Query(stages=frozenset({Stage.WAITING}))) == requests, "not all of them wait still"
        told = installation.maskbot("audit", "verify")
        assert told.returncode == 0, told.stderr
        return cost


def _let_settle(store: Database) -> None:
    """Wait until a starting bot has checked everything that is open, which it does once."""
    began = time.monotonic()
    while store.is_anything_due():
        assert time.monotonic() - began < PATIENCE, "the bot does not come to rest"
        time.sleep(0.2)
    time.sleep(SETTLE)


def _state(store: Database) -> object:
    return store.backlog(), store.head()


def measured(pid: int, seconds: float) -> Cost:
    """Read CPU ticks and pages in memory of a process from proc(5)."""
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
        settings = {"MASKBOT_SSH_KEY_FILE": str(key), "MASKBOT_WATCH_INTERVAL": "86400"}
        installation = Installation.write(folder, [], workspace(slack), settings=settings)
        (folder / "config/hosts.yaml").write_text(
            yaml.safe_dump({"hosts": [_host(number) for number in range(len(HOSTS))]})
        )
        yield installation
    finally:
        shutil.rmtree(folder)


def _host(number: int) -> dict[str, object]:
    """A host at whose address nobody answers."""
    address, pin = f"127.0.1.{number}", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
    return {"name": HOSTS[number], "address": address, "environment": "prod", "host_keys": [pin]}


def _store(installation: Installation) -> Database:
    return Database(
        installation.environment["MASKBOT_DATABASE_URL"], clock=SystemClock(), instance="benchmark", keys=KEYS
    )


def _fill(store: Database, installation: Installation, slack: SlackLab, count: int) -> None:
    """Requests of several people for a unit on many hosts, half way to their deadline, each with its card in Slack."""
    now, seen = datetime.now(UTC), parse_look(LOOK.read_text(), WORKER)
    since, policy = now - ASKED_AGO, load(Settings(config_dir=installation.folder / "config")).policy.digest
    approval = Approval("prod", 1, ("sre",), since + DECIDE_WITHIN, DECIDE_WITHIN, policy=policy)
    escalation = Escalation(since, REMIND).after_reminder(now)
    with store.exclusive():
        for number in range(count):
            request, _ = store.add(_new_request(number, since, slack), events=())
            request = request.on_target(planned=seen, before=seen, digest=f"{number:064x}")
            request = store.save(request.move(Stage.WAITING, approval=approval, escalation=escalation))
            card = store.claim_message("benchmark")
            assert card
            ts = f"{since.timestamp():.0f}.{number:06}"
            store.mark_delivered(card, channel=request.ask.place.channel, ts=ts, version=request.version)


def _new_request(number: int, since: datetime, slack: SlackLab) -> Request:
    host, person = HOSTS[number % len(HOSTS)], ("alice", "bob", "carol")[number % 3]
    change, place = Change(Verb.MASK, host, WORKER), Place(slack.channels["incident"])
    ask = Ask(change, PersonId(TEAM, slack.users[person]), person, place, f"INC-{number}: runaway job")
    return Request(f"r{number:010x}", f"key-{number}", ask, since, Target(host, WORKER), due_at=since)


def _print(what: str, cost: Cost) -> None:
    print(
        f"  {what:<14} {cost.cpu:6.2f} % of a core   {cost.resident:6.1f} MB resident"
        f" ({cost.proportional:.1f} proportional)   {cost.threads} threads",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
