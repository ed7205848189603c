"""The loop by itself, with no host: it notices what time has made due, and ends when it is told to."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Ask, Change, Request, Stage, Target, Verb
from bot.core.systemd.units import UnitName
from bot.edges.database import Database
from bot.edges.ops import log
from bot.ports import Claim
from bot.workflow import Deps, Timings, Workers
from bot.workflow.process.ack_priority import AckPriority
from bot.workflow.process.deps import InForce
from tests.handlers.world import HOSTS, NoHost
from tests.lab.keys import KEYS
from tests.lab.sqlite import new_sqlite
from tests.workflow.slack import ALICE, INCIDENT, Channels, People
from tests.workflow.world import POLICY, Hands

LONG = 1000.0  # seconds; whoever waited for it would fail every test
CRON = UnitName("cron.service")

Working = Callable[[Timings], "Bot"]


class Bot:
    """A loop on an empty database."""

    def __init__(self, folder: Path, timings: Timings) -> None:
        self.clock = Hands()
        self.store = Database(new_sqlite(folder / "var/maskbot.db"), clock=self.clock, instance="bot-1", keys=KEYS)
        in_force = InForce(ConfigSnapshot(Inventory(HOSTS), replace(POLICY, rules=())))
        self.deps = Deps(self.store, NoHost(), People(), Channels(), self.clock, in_force, timings)

    @contextmanager
    def running(self) -> Iterator[Workers]:
        """While this lasts."""
        loop = Workers(self.deps, owner="bot-1")
        loop.start()
        try:
            yield loop
        finally:
            loop.stop()


@pytest.fixture
def working(tmp_path: Path) -> Iterator[Working]:
    made: list[Bot] = []

    def make(timings: Timings) -> Bot:
        made.append(Bot(tmp_path, timings))
        return made[-1]

    yield make
    for bot in made:
        bot.store.close()


def test_it_ends_at_once_however_seldom_it_looks(working: Working) -> None:
    bot = working(Timings(poll=LONG, lease_renew=LONG))
    with bot.store.exclusive(), bot.running():
        began = time.monotonic()
    assert time.monotonic() - began < LONG / 10


def test_what_is_recorded_here_is_worked_on_without_a_look(working: Working) -> None:
    bot = working(Timings(poll=LONG, lease_renew=LONG))
    with bot.store.exclusive(), bot.running():
        bot.store.add(a_request(bot), events=[])
        refused(bot)


def test_what_time_makes_due_is_noticed_by_one_look_for_all(working: Working) -> None:
    bot = working(Timings(poll=0.05, lease_renew=LONG))
    with bot.store.exclusive(), bot.running():
        later = bot.clock.now() + timedelta(hours=1)
        bot.store.add(replace(a_request(bot), due_at=later), events=[])
        assert not bot.store.is_anything_due()
        bot.clock.ahead += timedelta(hours=1)
        refused(bot)


def test_no_work_is_begun_while_somebody_waits_for_an_acknowledgement(working: Working) -> None:
    bot = working(Timings(poll=0.05, lease_renew=LONG))
    bot.deps = replace(bot.deps, ack_priority=AckPriority(patience=LONG))
    with bot.store.exclusive(), bot.running():
        with bot.deps.ack_priority.payload_waiting():
            bot.store.add(a_request(bot), events=[])
            for _ in range(3):
                comes_round(bot, "poll")
            assert bot.store.get("r1").stage is Stage.ASKED
        refused(bot)


def test_it_is_begun_after_a_while_however_many_wait(working: Working) -> None:
    bot = working(Timings(poll=0.05, lease_renew=LONG))
    bot.deps = replace(bot.deps, ack_priority=AckPriority(patience=0.01))
    with bot.store.exclusive(), bot.deps.ack_priority.payload_waiting(), bot.running():
        bot.store.add(a_request(bot), events=[])
        refused(bot)


def test_what_is_released_while_leases_are_renewed_is_not_taken_for_lost(
    working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = working(Timings(poll=0.05, lease_renew=0.01))
    renew, save, release = bot.store.renew, bot.store.save, bot.store.release
    renewing, released, renewed = threading.Event(), threading.Event(), threading.Event()
    lost: list[Claim] = []

    def renew_late(held: Sequence[Claim]) -> list[Claim]:
        renewing.set()
        assert released.wait(30)
        lost.extend(found := renew(held))
        renewed.set()
        return found

    def save_meanwhile(request: Request, **more: Any) -> Request:
        assert renewing.wait(30)  # as long as it is claimed; before it is released, its lease is renewed no more
        return save(request, **more)

    def release_first(claim: Claim, *, due_at: datetime | None) -> None:
        release(claim, due_at=due_at)
        released.set()
        assert renewed.wait(30)

    monkeypatch.setattr(bot.store, "renew", renew_late)
    monkeypatch.setattr(bot.store, "save", save_meanwhile)
    monkeypatch.setattr(bot.store, "release", release_first)
    with capture_logs() as logged, bot.store.exclusive(), bot.running():
        bot.store.add(a_request(bot), events=[])
        refused(bot)
        assert renewed.wait(30)
    assert [one.request.id for one in lost] == ["r1"]
    assert [one for one in logged if one["event"] == "lease lost"] == []


@pytest.mark.usefixtures("log_as_before")
def test_every_line_about_a_request_has_its_id(working: Working, capsys: pytest.CaptureFixture[str]) -> None:
    outlet = log.set_up(level="debug", as_json=True)
    bot = working(Timings(poll=0.05))
    anybody_may = InForce(ConfigSnapshot(Inventory(HOSTS), POLICY))
    bot.deps = replace(bot.deps, in_force=anybody_may)  # so that a host is looked at, and there is none
    with bot.store.exclusive(), bot.running():
        bot.store.add(a_request(bot), events=[])
        deadline = time.monotonic() + 30
        while bot.store.get("r1").stage is Stage.ASKED:
            assert time.monotonic() < deadline
            bot.store.wait_for_work(0.1)
    assert outlet.settle()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert "request failed to advance" in {line["event"] for line in lines}
    assert {line["request"] for line in lines} == {"r1"}


def a_request(bot: Bot) -> Request:
    """Which no rule allows, so that it ends without a look at a host."""
    now = bot.clock.now()
    ask = Ask(Change(Verb.MASK, "web-01", CRON), ALICE.id, ALICE.name, INCIDENT, "INC-1")
    return Request("r1", "key-1", ask, now, Target("web-01", CRON), due_at=now)


def comes_round(bot: Bot, name: str) -> None:
    """Return when that thread of the loop has begun another round."""
    deadline, before = time.monotonic() + 30, bot.deps.liveness.ages[name]
    while (age := bot.deps.liveness.ages[name]) >= before:
        assert time.monotonic() < deadline
        before = age
        time.sleep(0.005)


def refused(bot: Bot) -> None:
    """Return when it is."""
    deadline = time.monotonic() + 30
    while bot.store.get("r1").stage is not Stage.REFUSED:
        assert time.monotonic() < deadline, bot.store.get("r1").stage
        bot.store.wait_for_work(0.1)
