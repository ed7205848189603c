"""The bot looks at itself: what it finds, whom it pages about it, and that a thread that hangs is seen."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.health import ComponentHealth
from bot.core.hosts.inventory import Inventory
from bot.core.paging import Format
from bot.core.policy.configuration import ConfigSnapshot
from bot.edges.database import Database
from bot.edges.outbound.paging import Receiver, Webhook
from bot.errors import StoreBusy
from bot.workflow import Deps, Timings, Workers
from bot.workflow.health.heartbeat import Heartbeat
from bot.workflow.health.operator_notices import report_clock_jumps
from bot.workflow.process.deps import InForce
from tests.edges.receiver import PageReceiver, receiving
from tests.handlers.world import HOSTS, NoHost
from tests.lab.keys import KEYS
from tests.lab.sqlite import new_sqlite
from tests.workflow.slack import Channels, People
from tests.workflow.world import POLICY, Hands

SLACK = ComponentHealth("slack", is_well=False, words="not connected", patience=timedelta(minutes=5))


class Bot:
    """A store, a pager and a heartbeat that beats when a test says so."""

    def __init__(self, folder: Path, receiver: PageReceiver) -> None:
        self.clock = Hands()
        self.store = Database(new_sqlite(folder / "var/maskbot.db"), clock=self.clock, instance="bot-1", keys=KEYS)
        in_force = InForce(ConfigSnapshot(Inventory(HOSTS), POLICY))
        pager = Webhook(Receiver(receiver.url, Format.GENERIC, secret="s3cret"), now=self.clock.now)
        timings = Timings(poll=0.05, lease_renew=0.05, stuck=0.2)
        self.slack = SLACK
        self.deps = Deps(self.store, NoHost(), People(), Channels(), self.clock, in_force, timings, pager=pager)
        self.heartbeat = Heartbeat(
            self.deps, source="bot-1", looks=[lambda: [self.slack]], report=lambda components: None
        )

    def beats(self) -> dict[str, ComponentHealth]:
        """One look, and what somebody has to be paged about."""
        self.heartbeat.beat()
        self.heartbeat.raise_alarms()
        return {component.name: component for component in self.heartbeat.components}


@pytest.fixture
def receiver() -> Iterator[PageReceiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def bot(tmp_path: Path, receiver: PageReceiver) -> Iterator[Bot]:
    one = Bot(tmp_path, receiver)
    with one.store.exclusive():
        yield one


def test_somebody_is_paged_once_when_slack_is_away_for_long_and_told_when_it_is_back(
    bot: Bot, receiver: PageReceiver
) -> None:
    bot.beats()
    bot.clock.ahead += timedelta(minutes=4)
    bot.beats()
    assert receiver.calls == []
    bot.clock.ahead += timedelta(minutes=1)
    for _ in range(3):
        bot.beats()
    assert receiver.events() == [("trigger", "maskbot-bot-1-slack")]
    assert "slack: not connected since" in receiver.calls[0].event["summary"]
    assert "X-Maskbot-Signature" in receiver.calls[0].headers

    bot.slack = replace(SLACK, is_well=True, words="connected")
    for _ in range(3):
        bot.beats()
    assert receiver.events()[1:] == [("resolve", "maskbot-bot-1-slack")]


def test_what_the_pager_does_not_take_is_sent_again(bot: Bot, receiver: PageReceiver) -> None:
    receiver.answers.append((503, {}))
    bot.beats()
    bot.clock.ahead += timedelta(minutes=5)
    bot.beats()
    assert receiver.calls == []
    bot.beats()
    assert receiver.events() == [("trigger", "maskbot-bot-1-slack")]


def test_a_loop_that_works_is_well(bot: Bot) -> None:
    assert bot.beats()["loop"].words == "not begun"
    with working(bot):
        wait_for_ages(bot, lambda ages: len(ages) == 3)
        assert bot.beats()["loop"].is_well


@pytest.mark.fault("F61", how="a thread that hangs")
def test_a_thread_that_hangs_is_named_and_the_process_is_said_to_be_useless(
    bot: Bot, receiver: PageReceiver, saw: Callable[[str], str]
) -> None:
    goes_on = threading.Event()

    def hang(*_: str, **__: object) -> None:
        goes_on.wait()

    bot.store.claim = hang  # type: ignore[method-assign]
    with working(bot):
        try:
            wait_for_ages(bot, lambda ages: ages.get("claim", 0) > 1.3 > ages.get("poll", 9))
            component = bot.beats()["loop"]
            assert (component.is_well, component.vital) == (False, True)
            assert "claim" in saw(component.words)
            assert "poll" not in component.words
            bot.clock.ahead += timedelta(seconds=10)
            bot.beats()
            assert ("trigger", "maskbot-bot-1-loop") in receiver.events()
        finally:
            goes_on.set()


@pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to make a small disk")
@pytest.mark.fault("F50", how="the disk of the database filled to its last byte")
def test_a_full_disk_is_noticed_without_anybody_asking_and_somebody_is_paged(
    small_disk: Path, receiver: PageReceiver, saw: Callable[[str], str]
) -> None:
    bot = Bot(small_disk, receiver)
    with bot.store.exclusive():
        assert bot.beats()["database"].is_well
        full = small_disk / "full"
        fill(full)
        found = [bot.beats()["database"] for _ in range(8)]  # SQLite has a little room in its own files
        component = found[-1]
        assert not component.is_well
        assert "cannot be written" in saw(component.words)
        bot.clock.ahead += timedelta(seconds=10)
        bot.beats()
        full.unlink()
        assert bot.beats()["database"].is_well
    assert [event for event in receiver.events() if "database" in event[1]] == [
        ("trigger", "maskbot-bot-1-database"),
        ("resolve", "maskbot-bot-1-database"),
    ]


def test_a_part_that_cannot_be_looked_at_hides_no_other(bot: Bot) -> None:
    def fails() -> Sequence[ComponentHealth]:
        raise StoreBusy("The database does not answer. Try again.")

    heartbeat = Heartbeat(bot.deps, source="bot-1", looks=[fails, lambda: [bot.slack]], report=lambda components: None)
    heartbeat.beat()
    assert [component.name for component in heartbeat.components] == ["database", "loop", "messages", "slack"]


def test_a_pulse_that_stopped_is_seen_by_whoever_asks(bot: Bot) -> None:
    bot.beats()
    bot.deps = replace(bot.deps, timings=replace(bot.deps.timings, heartbeat=0.0))
    late = Heartbeat(bot.deps, source="bot-1", report=lambda components: None).components[-1]
    assert (late.name, late.vital, late.is_well) == ("heartbeat", True, False)


@contextmanager
def working(bot: Bot) -> Iterator[None]:
    loop = Workers(bot.deps, owner="bot-1")
    loop.start()
    try:
        yield
    finally:
        bot.deps.store.wake()
        loop.stop()


def wait_for_ages(bot: Bot, holds: Callable[[dict[str, float]], bool]) -> None:
    """Wait until it holds of how long ago each thread was heard of."""
    for _ in range(600):
        if holds(bot.deps.liveness.ages):
            return
        bot.store.wait_for_work(0.05)
    raise AssertionError(bot.deps.liveness.ages)


def fill(path: Path) -> None:
    """Write until there is no room for a byte more."""
    with path.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


@pytest.mark.fault("F58", how="the machine's clock set back, with the bot's own database")
def test_a_clock_that_was_set_is_on_record_and_told(bot: Bot) -> None:
    report_clock_jumps(bot.deps, [-timedelta(days=1)])
    (record,) = bot.store.chain()
    assert (record["type"], record["data"]["seconds"]) == ("clock_jump", -86_400)
    due = bot.store.claim_message("bot-1")
    assert due is not None
    assert "SET BACK by 1 day" in due.message.body
