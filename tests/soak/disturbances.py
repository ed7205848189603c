"""The disturbances of a soak: a fault every few seconds, a replica killed or frozen now and then."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.lab.hosts import LabHost
from tests.lab.installation import Bot
from tests.lab.machine import LabError
from tests.soak.fleet import DATABASE, LEASE, Fleet

METHODS = ("chat.postMessage", "chat.update", "chat.postEphemeral", "users.info", "conversations.info", "*")
KINDS = ("429", "500", "503", "503-after", "reset", "reset-after")
SESSION = "^sshd(-session)?: maskbot"  # as OpenSSH calls the process of a login
STARTS = 5  # of a bot in a row, before the cause must be something else
MORTAL = 0  # this replica is killed again and again; the others run all the time


class Disturbances:
    """Causes faults and kills from its own threads until it is stopped, and counts them."""

    def __init__(self, fleet: Fleet, chance: random.Random, *, fault_every: float, kill_every: float) -> None:
        self._fleet, self._chance = fleet, chance
        self._stop = threading.Event()
        self.counts: Counter[str] = Counter()
        self.troubles: list[str] = []  # of the harness itself
        plans = ((self._fault, fault_every), (self._kill_or_freeze, kill_every))
        self._threads = [threading.Thread(target=self._run, args=plan) for plan in plans]

    def begin(self) -> None:
        """Start causing faults and kills."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop; afterwards every fault is gone and every replica runs."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._fleet.slack.clear_faults()

    def _run(self, work: Callable[[], None], every: float) -> None:
        while not self._stop.wait(every * (0.5 + self._chance.random())):
            try:
                work()
            except Exception as error:
                self.troubles.append(f"{type(error).__name__}: {error}"[:500])

    def _fault(self) -> None:
        slack = (self._slack_call, self._slack_call, self._slack_socket, self._slack_envelopes)
        self._chance.choice((*slack, self._ssh, self._database))()

    def _slack_call(self) -> None:
        method, kind = self._chance.choice(METHODS), self._chance.choice(KINDS)
        self._fleet.slack.fault(method, kind, times=self._chance.randint(1, 3))
        self.counts[f"Slack: {kind}"] += 1

    def _slack_socket(self) -> None:
        if self._chance.random() < 0.2:
            self.counts["Slack: away for two seconds"] += 1
            with self._fleet.slack.outage():
                time.sleep(2)
        elif self._chance.random() < 0.5:
            self.counts["Slack: sockets cut"] += 1
            self._fleet.slack.drop_socket()
        else:
            self.counts["Slack: disconnect announced"] += 1
            self._fleet.slack.disconnect()

    def _slack_envelopes(self) -> None:
        if self._chance.random() < 0.5:
            self.counts["Slack: envelope delivered to both replicas"] += 1
            self._fleet.slack.duplicate(2)
        else:
            self.counts["Slack: ack lost"] += 1
            self._fleet.slack.lose_acks()

    def _ssh(self) -> None:
        host = self._chance.choice([*self._fleet.hosts.values()])
        if self._chance.random() < 0.7:
            self.counts["SSH: sessions cut"] += 1
            _cut(host)
        else:
            self.counts["SSH: sshd away for two seconds"] += 1
            host.run("systemctl", "stop", "ssh.service")
            _cut(host)
            time.sleep(2)
            host.run("systemctl", "start", "ssh.service")

    def _database(self) -> None:
        cluster, how = self._fleet.cluster, self._chance.random()
        if how < 0.4:
            self.counts["PostgreSQL: every connection cut"] += 1
            cluster.cut(DATABASE)
        elif how < 0.8:
            self.counts["PostgreSQL: restarted"] += 1
            cluster.restart()
        else:
            self.counts["PostgreSQL: crashed and started again"] += 1
            cluster.crash()

    def _kill_or_freeze(self) -> None:
        number = self._chance.randrange(len(self._fleet.bots))
        if number == MORTAL:
            self.counts["replicas killed"] += 1
            self._fleet.bots[MORTAL].kill()
            time.sleep(self._chance.random() * 1.5 * LEASE)
            _start_again(self._fleet.bots[MORTAL])
        else:
            self.counts["replicas frozen past their lease"] += 1
            self._fleet.freeze(number)
            time.sleep(1.5 * LEASE)
            self._fleet.wake(number)


def _start_again(bot: Bot) -> None:
    """Start it as systemd does: again if it ends at once because the database is away."""
    for _ in range(STARTS):
        try:
            bot.start()
        except LabError:
            continue
        return
    raise LabError(f"The bot did not start {STARTS} times. It said:\n{bot.output}")


def _cut(host: LabHost) -> None:
    host.run("pkill", "-KILL", "-f", SESSION)
