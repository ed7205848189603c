"""Bots that die: one process that has all modules loaded makes a new bot in a moment, as often as it is asked.

`python -m tests.kills.mortal` reads a line of settings for each bot and answers with its process id.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.core.hosts.inventory import Host, Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Ask, Change, Duration, RolloutRule, Selection, Verb
from bot.core.systemd.units import UnitName
from bot.edges.clock import SystemClock
from bot.edges.database import DatabaseLimits
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from bot.workflow import Deps, Desk, InForce, Timings, Workers
from bot.workflow.queries.answer_pool import AnswerPool
from tests.kills.kept import KeptCalls, KeptChannels
from tests.kills.points import Death, MortalDatabase, MortalHosts
from tests.lab.keys import KEYS
from tests.workflow.slack import ALICE, INCIDENT, People
from tests.workflow.world import POLICY

UNIT = UnitName("worker.service")
LASTS = timedelta(hours=1)
_WAVES = RolloutRule(waves=("1", "1", "rest"), pause=timedelta(seconds=0.3))
IN_WAVES = replace(
    POLICY,
    rules=tuple(replace(rule, rollout=_WAVES) for rule in POLICY.rules),
    holds=HoldPolicy(frozenset({"sre"})),
)
TIMINGS = Timings(
    retries=(0.05, 0.1), recheck_first=0.1, recheck_longest=0.5, host_busy=0.1, progress=1.0, message_retry=0.1,
    poll=0.2, lease_renew=0.5,
)  # fmt: skip
BUSY = timedelta(seconds=20)


@dataclass(frozen=True)
class Settings:
    """Where a bot works, how long it holds what it claims, and which payload comes to it first."""

    url: str
    hosts: list[dict[str, Any]]  # one: a mask is asked for; several: a rollout
    ssh_key: str
    folder: str
    name: str
    lease: float  # seconds
    payload: str = ""  # the key of what alice asks; none if this bot is asked nothing

    def inventory(self) -> Inventory:
        """The hosts as the parent knows them."""
        known = ({**host, "pins": frozenset(host["pins"]), "authorities": ()} for host in self.hosts)
        return Inventory(tuple(Host(**host) for host in known))

    def ask(self) -> Ask:
        """What alice asks for: a mask for an hour, on each host in a wave of its own."""
        names = tuple(host["name"] for host in self.hosts)
        change = Change(Verb.MASK, ",".join(names), UNIT, duration=Duration(lasts=LASTS))
        chosen = Selection(names, (UNIT,)) if len(names) > 1 else None
        return Ask(change, ALICE.id, "alice", INCIDENT, "INC-42", selection=chosen)


def be_a_bot(settings: Settings) -> None:
    """Take the payload in, acknowledge it, and work until somebody ends it."""
    folder, clock = Path(settings.folder), SystemClock()
    death, lease = Death(folder / "deaths"), timedelta(seconds=settings.lease)
    limits = DatabaseLimits(busy=BUSY, message_lease=lease)
    store = MortalDatabase(settings.url, clock=clock, instance=settings.name, keys=KEYS, lease=lease, limits=limits)
    store.death = death
    hosts = MortalHosts(GuardedHosts(SshHosts(Path(settings.ssh_key))), KeptCalls(folder / "calls"), death)
    channel = KeptChannels(folder / "slack", death.at)
    with store.exclusive():
        in_force = InForce(ConfigSnapshot(settings.inventory(), IN_WAVES))
        deps = Deps(store, hosts, People(), channel, clock, in_force, TIMINGS)
        Workers(deps, owner=settings.name, workers=4).start()
        if settings.payload:
            Desk(deps, AnswerPool(deps)).submit(settings.ask(), key=settings.payload)
            (folder / f"acknowledged-{settings.payload}").touch()
        signal.pause()


class Maker:
    """The process that makes bots, and knows which of them live."""

    def __enter__(self) -> Self:
        argv = [sys.executable, "-m", "tests.kills.mortal"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._alive: set[int] = set()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill_all()
        self._process.communicate()

    def make(self, settings: Settings) -> int:
        """A new bot; its process id."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asdict(settings)) + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        self._alive.add(pid)
        return pid

    def is_alive(self, pid: int) -> bool:
        """Whether it still runs."""
        if pid in self._alive and not Path(f"/proc/{pid}").exists():
            self._alive.discard(pid)
        return pid in self._alive

    def kill_all(self) -> None:
        """End those that live, and wait until they are gone."""
        for pid in filter(self.is_alive, tuple(self._alive)):
            os.kill(pid, signal.SIGKILL)
            while self.is_alive(pid):
                time.sleep(0.005)


def main() -> None:
    """Make bots until nobody asks any more."""
    import_module("psycopg")  # the product loads it late, and each of a hundred bots would do so anew
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: what is dead is gone
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(line)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _become(line: str) -> None:
    """In the child: what it says of itself goes into a log of its own, not to whoever waits for a process id."""
    settings = Settings(**json.loads(line))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(f"{settings.folder}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        be_a_bot(settings)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
