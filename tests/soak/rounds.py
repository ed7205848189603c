"""One kill after the other: a mask is asked for, a bot dies at one point, and what comes of it is checked."""

import random
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from bot.core.changes import Outcome, Request, Verdict
from bot.core.configured import Configured
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.ports import Query
from bot.workflow import InForce, Parts, Workflow
from bot.workflow.answering import Answers
from tests.lab.hosts import LabHost
from tests.lab.postgres import Postgres
from tests.soak.kept import KeptCalls, said
from tests.soak.mortal import LIMITS, UNIT, Maker, Settings
from tests.workflow.invariants import Seen, broken
from tests.workflow.slack import BOB, INCIDENT, Channels, People
from tests.workflow.waiting import Nowhere
from tests.workflow.world import POLICY, inventory

PATIENCE = 120.0  # seconds; a change takes three, and a lease as long
MOST_APPENDS = 12  # of a request's life, by all bots together; K12 is at any of them
_ONE_AT_A_TIME = Lock()  # Alembic keeps what it does in its module
_CLEAN = f"systemctl unmask --quiet {UNIT}; systemctl reset-failed {UNIT}; systemctl start {UNIT}"


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one kill."""

    point: str
    broken: tuple[str, ...]
    seconds: float


class Lane:
    """One host and one database, on which one round follows the other; several lanes do not know of each other.

    On a file there is one bot, and a new one when it died; on PostgreSQL there are two, of which any may be the one.
    """

    def __init__(self, host: LabHost, folder: Path, maker: Maker, cluster: Postgres | None = None) -> None:
        self._host, self._maker, self._cluster = host, maker, cluster
        self._folder = folder / host.name
        self._url, self._name = f"sqlite:///{self._folder}/var/maskbot.db", f"kills_{host.name.replace('-', '_')}"
        if cluster:
            self._url = cluster.make_database(self._name)
        (known,) = inventory({host.name: host}).hosts
        self._known = asdict(known) | {"pins": sorted(known.pins), "groups": []}

    def round(self, point: str) -> Round:
        """Ask, kill, wait for the end, and check."""
        began = time.monotonic()
        self._make_clean()
        store = Database(self._url, clock=SystemClock(), instance="desk", limits=LIMITS)
        with _ONE_AT_A_TIME, store.exclusive():
            pass  # the schema is there before any bot is
        try:
            found = tuple(_Life(self, store, point).promises_broken())
        finally:
            self._maker.kill_all()
            store.close()
        return Round(point, found, time.monotonic() - began)

    def _make_clean(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "slack").mkdir(parents=True)
        (self._folder / "somebody-dies").touch()
        if self._cluster:
            self._cluster.empty_database(self._name)
        self._host.run("sh", "-c", _CLEAN)

    @property
    def folder(self) -> Path:
        """Where what outlives a bot is kept."""
        return self._folder

    @property
    def host(self) -> LabHost:
        """Where the unit is."""
        return self._host

    @property
    def replicas(self) -> int:
        """How many bots work side by side."""
        return 2 if self._cluster else 1

    def bot(self, number: int, point: str, payload: str) -> Callable[[], bool]:
        """A new bot; the answer says whether it lives."""
        key, folder = str(self._host.key_file), str(self._folder)
        appends = random.randrange(MOST_APPENDS // self.replicas)  # however they share them, one comes that far
        name = f"bot-{number}-{secrets.token_hex(2)}"
        pid = self._maker.make(Settings(self._url, self._known, key, folder, name, payload, point, appends))
        return lambda: self._maker.is_alive(pid)


class _Life:
    """One request, from alice's payload to its end."""

    def __init__(self, lane: Lane, store: Database, point: str) -> None:
        self._lane, self._store, self._point = lane, store, point
        self._payload = secrets.token_hex(4)
        self._bots = [lane.bot(0, point, self._payload)]
        self._bots += [lane.bot(number, point, "") for number in range(1, lane.replicas)]

    def promises_broken(self) -> Iterator[str]:
        try:
            request = self._ended()
        except TimeoutError as late:
            yield f"I6: {late}; the bots said: {(self._lane.folder / 'log').read_text()[-1500:]}"
            return
        yield from self._checked(request)

    def _ended(self) -> Request:
        self._until(self._is_acknowledged, "an acknowledgement")
        self._until(lambda: len(self._requests()) == 1, "one request")
        (request,) = self._requests()
        self._until(lambda: bool(self._store.card(request.id)[1]), "a card")
        self._approve(request.id)
        self._until(lambda: self._store.get(request.id).stage.is_final, "an end")
        self._until(lambda: self._is_said(request.id), "the last word")
        return self._store.get(request.id)

    def _is_acknowledged(self) -> bool:
        """Who hears nothing from Slack types it again; and Slack itself may deliver it again."""
        if not self._bots[0]():
            self._bots[0] = self._lane.bot(0, self._point, self._payload)
        return (self._lane.folder / f"acknowledged-{self._payload}").exists()

    def _requests(self) -> list[Request]:
        return self._store.find(Query())

    def _approve(self, request_id: str) -> None:
        in_force = InForce(Configured(inventory({self._lane.host.name: self._lane.host}), POLICY))
        parts = Parts(self._store, Nowhere(), People(), Channels(), SystemClock(), in_force)
        now, card = self._store.get(request_id), self._store.card(request_id)
        Workflow(parts, Answers(parts)).vote(
            request_id, Verdict.APPROVE, by=BOB.id, name="bob", place=INCIDENT, digest=now.target.digest, card=card
        )

    def _is_said(self, request_id: str) -> bool:
        kinds = {kept["mark"].split(":")[1] for kept in said(self._lane.folder / "slack").values()}
        return {"card", "line", "evidence"} <= kinds and not self._store.is_anything_due() and self._is_drawn()

    def _is_drawn(self) -> bool:
        return any("MASKED AND PROVEN" in kept["text"] for kept in said(self._lane.folder / "slack").values())

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        """Whoever is dead is started again, as systemd would."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what}; {[(one.stage, one.target.outcome) for one in self._requests()]}")
            for number, lives in enumerate(self._bots):
                if not lives():
                    self._bots[number] = self._lane.bot(number, self._point, "")
            time.sleep(0.1)

    def _checked(self, request: Request) -> Iterator[str]:
        kept = said(self._lane.folder / "slack").values()
        messages = [(one["mark"], one["text"]) for one in kept]
        calls = KeptCalls(self._lane.folder / "calls").by_sender()
        records, head = list(self._store.records()), self._store.head()
        yield from broken(Seen(records, head, self._requests(), messages, SystemClock().now(), calls))
        if (self._lane.folder / "somebody-dies").exists():
            yield f"nobody died at {self._point}"
        states = self._lane.host.show(str(UNIT), "LoadState", "ActiveState")
        if request.target.outcome is not Outcome.PROVEN or states != {"LoadState": "masked", "ActiveState": "inactive"}:
            yield f"I3: {request.target.outcome} is stored, {states} is so; {request.target.note}"
        marks = [mark for mark, _ in messages]
        yield from (f"I4: {mark} was posted {marks.count(mark)} times" for mark in {*marks} if marks.count(mark) > 1)
        if [text for mark, text in messages if mark.endswith(":card") and "MASKED AND PROVEN" not in text]:
            yield "I4: the card does not show the end"
        if (ends := [record["type"] for record in records].count("request.finished")) != 1:
            yield f"the record tells of {ends} ends"
