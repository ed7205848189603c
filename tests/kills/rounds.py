"""A mask is asked for, bots die at moments of its life, and what comes of it is checked."""

import random
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from bot.core.hosts.inventory import Inventory
from bot.core.people.identity import Person
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Outcome, Request, Verdict, VoteCommand
from bot.edges.clock import SystemClock
from bot.edges.database import Database, DatabaseLimits
from bot.ports import Query
from bot.workflow import Deps, Desk, InForce
from bot.workflow.queries.answer_pool import AnswerPool
from tests.kills.kept import KeptCalls, messages
from tests.kills.mortal import BUSY, IN_WAVES, UNIT, Maker, Settings
from tests.kills.points import MOMENTS, Death
from tests.lab.hosts import LabHost
from tests.lab.keys import KEYS
from tests.lab.postgres import Postgres
from tests.workflow.invariants import Seen, broken
from tests.workflow.slack import BOB, Channels, People, caller
from tests.workflow.waiting import Nowhere
from tests.workflow.world import inventory

PATIENCE = 120.0  # seconds in which nothing has moved
SHORT, LONG = 3.0, 600.0  # seconds of a lease: one that runs out by itself, and one that no slow machine outlasts
_ONE_AT_A_TIME = Lock()  # Alembic keeps what it does in its module
_UP = f"{UNIT} metrics.service partof.service"
_CLEAN = f"systemctl unmask --quiet {UNIT}; systemctl reset-failed {UNIT}; systemctl start {_UP}"


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one kill."""

    point: str
    broken: tuple[str, ...]
    seconds: float


class Lane:
    """One host and one database, on which one request follows the other; several lanes do not know of each other.

    On a file there is one bot, and a new one when it died; on PostgreSQL there are two, of which any may be the one.
    """

    def __init__(
        self, *hosts: LabHost, folder: Path, maker: Maker, cluster: Postgres | None, lease: float = SHORT
    ) -> None:
        self.hosts, self.host, self.lease = hosts, hosts[0], lease
        self._maker, self._cluster = maker, cluster
        self.folder = folder / self.host.name
        self.death = Death(self.folder / "deaths")
        self._url, self._name = f"sqlite:///{self.folder}/var/maskbot.db", f"kills_{self.host.name.replace('-', '_')}"
        if cluster:
            self._url = cluster.make_database(self._name)
        self._known = [
            asdict(known) | {"pins": sorted(known.pins), "groups": [], "principals": []}
            for known in self.inventory.hosts
        ]

    @property
    def inventory(self) -> Inventory:
        """Its hosts as hosts.yaml would name them."""
        return inventory({host.name: host for host in self.hosts})

    def round(self, point: str) -> Round:
        """Ask, kill once, wait for the end, and check."""
        began = time.monotonic()
        self._host_as_before()
        with self.life([random.choice(MOMENTS[point])]) as life:
            found = tuple(life.promises_broken())
        return Round(point, found, time.monotonic() - began)

    @contextmanager
    def life(self, moments: Iterable[str]) -> Iterator["Life"]:
        """A request of alice's, on an empty database; somebody is to die at each of these moments."""
        self._make_empty()
        self.death.wait_for(moments)
        limits = DatabaseLimits(busy=BUSY)
        store = Database(self._url, clock=SystemClock(), instance="desk", keys=KEYS, limits=limits)
        with _ONE_AT_A_TIME, store.exclusive():
            pass  # the schema is there before any bot is
        try:
            yield Life(self, store)
        finally:
            self._maker.kill_all()
            store.close()

    def _host_as_before(self) -> None:
        self.host.run("sh", "-c", _CLEAN)

    def _make_empty(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "slack").mkdir(parents=True)
        if self._cluster:
            self._cluster.empty_database(self._name)

    @property
    def replicas(self) -> int:
        """How many bots work side by side."""
        return 2 if self._cluster else 1

    def bot(self, number: int, payload: str) -> "Living":
        """A new bot."""
        name = f"bot-{number}-{secrets.token_hex(2)}"
        where = (self._url, self._known, str(self.host.key_file), str(self.folder))
        pid = self._maker.make(Settings(*where, name, self.lease, payload))
        return Living(name, lambda: self._maker.is_alive(pid))

    def let_lapse(self, owner: str) -> None:
        """Of one who is dead, where nobody waits for that: its leases have run out by now."""
        if self._cluster is None or self.lease < LONG:
            return
        with self._cluster.connected(self._name) as connection:
            for table in ("targets", "messages", "periodic_tasks"):
                lapsed = f"UPDATE {table} SET lease_until = now() - interval '1 second' WHERE owner = %s"  # noqa: S608
                connection.execute(lapsed.encode(), (owner,))


@dataclass(frozen=True, slots=True)
class Living:
    """One bot."""

    name: str
    lives: Callable[[], bool]


class Life:
    """One request, from alice's payload to its end."""

    def __init__(self, lane: Lane, store: Database) -> None:
        self.lane, self.store = lane, store
        self._payload = secrets.token_hex(4)
        self._bots = [lane.bot(0, self._payload)]
        self._bots += [lane.bot(number, "") for number in range(1, lane.replicas)]

    def promises_broken(self) -> Iterator[str]:
        """Let it be carried out; then every promise that was broken by then, in words."""
        try:
            request = self.carried_out()
        except TimeoutError as late:
            yield f"I6: {late}; the bots said: {(self.lane.folder / 'log').read_text()[-1500:]}"
            return
        yield from self._checked(request)
        yield from self.checked()

    def carried_out(self) -> Request:
        """Whoever waits for something gets it, until all is over and said."""
        self.until(self.is_acknowledged, "an acknowledgement")
        self.until(lambda: len(self.requests()) == 1, "one request")
        (request,) = self.requests()
        self.until(lambda: bool(self.store.card(request.id)[1]), "a card")
        self.approve(request.id)
        self.until(lambda: self.store.get(request.id).stage.is_final, "an end")
        self.until(lambda: {"card", "line", "evidence"} <= self._kinds() and self.is_said("MASKED AND PROVEN"), "word")
        return self.store.get(request.id)

    def is_acknowledged(self) -> bool:
        """By the first of them: who hears nothing from Slack types it again; and Slack itself may deliver it again."""
        return (self.lane.folder / f"acknowledged-{self._payload}").exists()

    def requests(self) -> list[Request]:
        """All there are."""
        return self.store.find(Query())

    def approve(self, request_id: str, *, by: Person = BOB) -> None:
        """Somebody presses Approve."""
        now, card = self.store.get(request_id), self.store.card(request_id)
        self.desk().vote(request_id, VoteCommand(Verdict.APPROVE, now.target.digest, card), caller(by))

    def desk(self) -> Desk:
        """For what people do."""
        in_force = InForce(ConfigSnapshot(self.lane.inventory, IN_WAVES))
        deps = Deps(self.store, Nowhere(), People(), Channels(), SystemClock(), in_force)
        return Desk(deps, AnswerPool(deps))

    def _kinds(self) -> set[str]:
        return {mark.split(":")[1] for mark, _ in self.messages()}

    def is_said(self, head: str) -> bool:
        """Whether a card begins so, and nobody works on anything or has anything left to say."""
        if not any(text.startswith(head) for _, text in self.messages()):
            return False
        waits = self.store.backlog()
        return not (waits.due or waits.leases or waits.undelivered)

    def messages(self) -> list[tuple[str, str]]:
        """What stands in Slack: the mark of each message, and its words."""
        return [(one["mark"], one["text"]) for one in messages(self.lane.folder / "slack").values()]

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Whoever is dead is started again, as systemd would. Raises `TimeoutError` once nothing moves any more."""
        moved = time.monotonic()
        while True:
            for number, one in enumerate(self._bots):
                if not one.lives():
                    self._begin_again(number)
                    moved = time.monotonic()
            if holds():
                return
            if time.monotonic() - moved > PATIENCE:
                raise TimeoutError(f"no {what}; {[(one.stage, one.target.outcome) for one in self.requests()]}")
            time.sleep(0.1)

    def _begin_again(self, number: int) -> None:
        payload = "" if number or self.is_acknowledged() else self._payload
        self.lane.let_lapse(self._bots[number].name)
        self._bots[number] = self.lane.bot(number, payload)

    def _checked(self, request: Request) -> Iterator[str]:
        """I3 and I4 of the mask alone."""
        states = self.lane.host.show(str(UNIT), "LoadState", "ActiveState")
        if request.target.outcome is not Outcome.PROVEN or states != {"LoadState": "masked", "ActiveState": "inactive"}:
            yield f"I3: {request.target.outcome} is stored, {states} is so; {request.target.note}"
        if [text for mark, text in self.messages() if mark.endswith(":card") and "MASKED AND PROVEN" not in text]:
            yield "I4: the card does not show the end"

    def outlived(self) -> Iterator[str]:
        """The moments at which nobody has died."""
        yield from (f"nobody died at `{moment}`" for moment in self.lane.death.outlived())

    def checked(self) -> Iterator[str]:
        """Every promise that was broken by anybody, in words; at the end of whatever was asked for."""
        messages, requests, records = self.messages(), self.requests(), list(self.store.records())
        calls = KeptCalls(self.lane.folder / "calls").by_sender()
        yield from broken(Seen(records, self.store.head(), requests, messages, SystemClock().now(), calls))
        yield from self.outlived()
        marks = [mark for mark, _ in messages]
        yield from (f"I4: {mark} was posted {marks.count(mark)} times" for mark in {*marks} if marks.count(mark) > 1)
        ends = [record["type"] for record in records].count("request.finished")
        if ends != len(requests):
            yield f"the record tells of {ends} ends of {len(requests)} requests"
