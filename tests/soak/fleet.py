"""A fleet: several ordinary `maskbot run` on one PostgreSQL, one Slack and real hosts; each can die or freeze."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.edges.clock import SystemClock
from bot.edges.database import Database
from tests.lab.demo import workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation
from tests.lab.keys import KEYS
from tests.lab.machine import LabError
from tests.lab.postgres import Postgres
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab

DATABASE = "fleet"
LEASE = 4.0  # seconds, of everything that is claimed
SETTINGS = {
    "MASKBOT_LEASE": str(LEASE),
    "MASKBOT_LEASE_RENEW": "1",
    "MASKBOT_MESSAGE_LEASE": str(LEASE),
    "MASKBOT_MESSAGE_RETRY": "0.3",
    "MASKBOT_PROGRESS": "1",
    "MASKBOT_RETRIES": "0.2,0.4,0.8",
    "MASKBOT_RECHECK_FIRST": "0.2",
    "MASKBOT_RECHECK_LONGEST": "2",
    "MASKBOT_WATCH_INTERVAL": "3600",
    "MASKBOT_AFTERCHECK": "none",
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """All that runs: bots, Slack, hosts, PostgreSQL. `desk` only reads the database."""

    bots: tuple[Bot, ...]
    slack: SlackLab
    hosts: Mapping[str, LabHost]
    cluster: Postgres
    desk: Database

    def freeze(self, number: int) -> None:
        """Stop a bot by SIGSTOP: it neither works nor notices, like a paused machine."""
        os.kill(self.bots[number].pid, signal.SIGSTOP)

    def wake(self, number: int) -> None:
        """Let it go on by SIGCONT, where it was, whatever happened meanwhile."""
        os.kill(self.bots[number].pid, signal.SIGCONT)


@contextmanager
def running_fleet(
    slack: SlackLab, hosts: Mapping[str, LabHost], cluster: Postgres, *, replicas: int = 2
) -> Iterator[Fleet]:
    """Run a fleet on an empty database; afterwards every bot has stopped, in order if it can."""
    url = cluster.make_database(DATABASE)
    with ExitStack() as stack:
        stack.callback(cluster.drop_database, DATABASE)
        bots = []
        for _ in range(replicas):
            folder = Path(tempfile.mkdtemp(prefix="maskbot-fleet-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            settings = SETTINGS | {"MASKBOT_DATABASE_URL": url}
            bot = Bot(Installation.write(folder, [*hosts.values()], workspace(slack), settings=settings))
            bot.start()
            stack.callback(_end, bot)
            bots.append(bot)
        desk = Database(url, clock=SystemClock(), instance="desk", keys=KEYS)
        stack.callback(desk.close)
        yield Fleet(tuple(bots), slack, hosts, cluster, desk)


def two_replicas(
    slack_and_cluster: tuple[SlackLab, Postgres], lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine]
) -> Iterator[Fleet]:
    """Two replicas, on hosts as they were found: what the fixtures named `fleet` are made of."""
    assert found
    slack, cluster = slack_and_cluster
    with running_fleet(slack, lab_hosts, cluster) as one:
        yield one


def _end(bot: Bot) -> None:
    if bot.is_running():
        os.kill(bot.pid, signal.SIGCONT)
    with suppress(LabError):
        bot.stop()
