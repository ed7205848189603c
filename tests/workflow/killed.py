"""A bot in a process of its own that dies by SIGKILL at a given moment: `python -m tests.workflow.killed SETTINGS`."""

import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.cards.kit import Text
from bot.core.configured import Configured
from bot.core.inventory import Host, Inventory
from bot.core.people import Place
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.edges.ssh import SshHosts
from bot.ports import Hosts, Reply
from bot.workflow import InForce, Loop, Parts
from tests.workflow.slack import Channels, People
from tests.workflow.wire import Call
from tests.workflow.world import POLICY, QUICK


@dataclass(frozen=True)
class Settings:
    """Where the bot works, where its Slack keeps messages, and the moment of its death: `before stop`, `after post`."""

    url: str
    hosts: list[dict[str, Any]]
    key: str
    slack: str
    dies: str = ""

    def inventory(self) -> Inventory:
        """The hosts as the parent knows them."""
        return Inventory(tuple(Host(**{**known, "pins": frozenset(known["pins"])}) for known in self.hosts))


class Death:
    """SIGKILL by its own hand, which no handler and no `finally` sees."""

    def __init__(self, moment: str) -> None:
        self._moment = moment

    def at(self, moment: str) -> None:
        if moment == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)


class DyingHosts:
    """The way to the hosts, on which the bot may die before a command is sent, or before its answer is read."""

    def __init__(self, hosts: Hosts, death: Death) -> None:
        self._hosts = hosts
        self._death = death

    def run(self, host: Host, argv: tuple[str, ...], *, deadline: float) -> Reply:
        verb = Call(host.name, argv).verb
        self._death.at(f"before {verb}")
        reply = self._hosts.run(host, argv, deadline=deadline)
        self._death.at(f"after {verb}")
        return reply


class KeptChannels(Channels):
    """Messages outlive the process: what was posted is on record before anybody learns that it was."""

    def __init__(self, folder: Path, death: Death) -> None:
        super().__init__()
        self._folder = folder
        self._death = death

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        kind = mark.split(":")[1]
        self._death.at(f"before post {kind}")
        ts = f"{time.time_ns()}.{os.getpid()}"
        self._keep(ts, {"mark": mark, "text": text.text})
        self._death.at(f"after post {kind}")
        return ts

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        return next((path.name for path in self._folder.iterdir() if json.loads(path.read_text())["mark"] == mark), "")

    def update(self, channel: str, ts: str, text: Text) -> None:
        kept = json.loads((self._folder / ts).read_text())
        self._death.at("before update")
        self._keep(ts, {**kept, "text": text.text})
        self._death.at("after update")

    def _keep(self, ts: str, message: dict[str, str]) -> None:
        """As a whole: others read it meanwhile."""
        new = self._folder.with_name(f"{ts}.new")
        new.write_text(json.dumps(message))
        new.replace(self._folder / ts)


def main(settings: Settings) -> None:
    """Work until somebody ends it."""
    death, clock = Death(settings.dies), SystemClock()
    store = Database(settings.url, clock=clock, instance="bot-1")
    hosts = DyingHosts(SshHosts(Path(settings.key)), death)
    channel = KeptChannels(Path(settings.slack), death)
    with store.exclusive():
        in_force = InForce(Configured(settings.inventory(), POLICY))
        parts = Parts(store, hosts, People(), channel, clock, in_force, QUICK)
        Loop(parts, owner="bot-1").start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.pause()


def written(settings: Settings) -> str:
    """The settings as the argument of a new process."""
    return json.dumps(asdict(settings))


if __name__ == "__main__":
    main(Settings(**json.loads(sys.argv[1])))
