"""Copies of the record: in order and once each, later where a sink was down, and what people may do meanwhile."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.audit.audit_shipping import SinkNeed, read_address
from bot.core.audit.chain import Event, fault
from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Ask, Change, Outcome, Request, Stage, Target, Verb
from bot.core.systemd.units import UnitName
from bot.edges.database import Database
from bot.edges.outbound.audit_shipping import SyslogSink
from bot.workflow import Deps, Timings, Workers, audit_shipping
from bot.workflow.audit_shipping import Shipment, ShippingThread
from bot.workflow.health.operator_notices import anchor, first_anchor
from bot.workflow.process.deps import InForce
from tests.edges.syslog import LogReceiver, Stoppable, tcp
from tests.handlers.world import HOSTS, NoHost
from tests.lab.keys import KEYS
from tests.lab.sqlite import new_sqlite
from tests.workflow.conftest import Opening
from tests.workflow.forger import Forger
from tests.workflow.lifecycle.test_outcome_unknown import is_untouched
from tests.workflow.slack import ALICE, BOB, CAROL, INCIDENT, Channels, People, words
from tests.workflow.wire import LOOK
from tests.workflow.world import POLICY, Hands

CRON = UnitName("cron.service")
OPERATIONS = "C9OPS"
NOBODY_MAY = replace(POLICY, rules=(), operations_channel=OPERATIONS)  # so an answer needs no look at a host


class Bot:
    """A store and who ships from it; several may have one store."""

    def __init__(self, url: str, sink: SyslogSink, name: str) -> None:
        self.clock = Hands()
        self.name = name
        self.store = Database(url, clock=self.clock, instance=name, keys=KEYS)
        self.slack = Channels()
        in_force = InForce(ConfigSnapshot(Inventory(HOSTS), NOBODY_MAY))
        timings = Timings(poll=0.05)
        self.deps = Deps(self.store, NoHost(), People(), self.slack, self.clock, in_force, timings, sinks=(sink,))

    @contextmanager
    def running(self) -> Iterator[None]:
        copying, loop = ShippingThread(self.deps, owner=self.name), Workers(self.deps, owner=self.name)
        copying.start()
        loop.start()
        try:
            yield
        finally:
            loop.stop()
            copying.stop()

    def says(self, *words_: str) -> None:
        self.store.record([Event("config.loaded", "success", data={"words": word}) for word in words_])

    def asks(self) -> Request:
        """For a mask; the answer."""
        now, key = self.clock.now(), f"key-{time.monotonic_ns()}"
        ask = Ask(Change(Verb.MASK, "web-01", CRON), ALICE.id, ALICE.name, INCIDENT, "INC-1")
        self.store.add(Request(key, key, ask, now, Target("web-01", CRON), due_at=now), events=[])
        self.until(lambda: self.store.get(key).stage.is_final, "an answer")
        return self.store.get(key)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, what
            self.store.wait_for_work(0.05)

    @property
    def operations_messages(self) -> list[str]:
        """In the operations channel."""
        return [words(said.text) for said in list(self.slack.messages.values()) if said.channel == OPERATIONS]


@pytest.fixture
def receiver() -> Iterator[LogReceiver]:
    with tcp() as one:
        yield one


@pytest.fixture
def url(tmp_path: Path) -> str:
    return new_sqlite(tmp_path / "var/maskbot.db")


def sink(receiver: LogReceiver, need: SinkNeed = SinkNeed.REQUIRED, deadline: float = 1.0) -> SyslogSink:
    return SyslogSink(read_address(receiver.address), need=need, deadline=deadline)


def everything(bot: Bot, receiver: LogReceiver) -> Callable[[], bool]:
    """Whether the receiver has the whole record."""
    return lambda: bool(receiver.numbers) and receiver.numbers[-1] == bot.store.head().seq


def test_what_somebody_else_wrote_into_the_log_is_not_shipped(receiver: LogReceiver, url: str) -> None:
    """A sink would take it for the bot's: a delivery is signed as a whole."""
    bot = Bot(url, sink(receiver), "bot-1")
    with bot.store.exclusive():
        bot.says("one", "two")
        newest = bot.store.head().seq
        Forger(url)(
            "INSERT INTO events SELECT seq + :by, request_id, type, replace(body, 'two', 'ten'), prev, hash, kid, mac "
            "FROM events WHERE seq = :newest",
            by=1, newest=newest,
        )  # fmt: skip
        assert Shipment(bot.deps, bot.deps.sinks[0], bot.name).ship()
        assert receiver.numbers == list(range(1, newest + 1))
        bot.store.stored_chain.accept_break("it was none of ours", by="root", at=bot.clock.now(), anchor=None)
        bot.store.verify_chain()
        assert Shipment(bot.deps, bot.deps.sinks[0], bot.name).ship()
        assert receiver.numbers[-1] == bot.store.head().seq


def test_every_record_is_shipped_once_and_in_order_also_by_the_next_process(receiver: LogReceiver, url: str) -> None:
    first = Bot(url, sink(receiver), "bot-1")
    with first.store.exclusive():
        first.says("before", "anybody", "ships")
        with first.running():
            for number in range(20):
                first.says(f"word {number}")
            first.until(everything(first, receiver), "a whole copy")
        first.says("while", "nobody", "ships")
    second = Bot(url, sink(receiver), "bot-2")
    with second.store.exclusive(), second.running():
        second.until(everything(second, receiver), "a whole copy")
        assert receiver.numbers == list(range(1, second.store.head().seq + 1))
        second.until(lambda: [*audit_shipping.unshipped(second.deps)] == [("syslog", 0, False)], "a note of it")
        assert audit_shipping.sink_health(second.deps)[0].is_well
    shipped = [json.loads(line.partition("] ")[2]) for line in receiver.lines]
    assert [one for one in shipped if fault(one, KEYS)] == []


def test_what_is_said_last_is_shipped_before_the_end(receiver: LogReceiver, url: str) -> None:
    bot = Bot(url, sink(receiver), "bot-1")
    with bot.store.exclusive():
        with bot.running():
            bot.says("the last word")
        assert everything(bot, receiver)()


@pytest.mark.parametrize("how", ["stopped", "deaf"])
@pytest.mark.fault("F59", how="a required receiver stopped, and one that accepts and never reads")
def test_without_a_required_copy_new_masks_are_refused_and_go_on_with_all_that_was_missed(
    how: str, url: str, saw: Callable[[str], str]
) -> None:
    with Stoppable() as log_server:
        receiver = log_server.receiver
        bot = Bot(url, sink(receiver), "bot-1")
        with bot.store.exclusive(), bot.running():
            bot.says("all is well")
            bot.until(everything(bot, receiver), "a whole copy")
            assert "audit" not in bot.asks().because
            # what is under way when a receiver dies is lost with it: it had read it all, and says so by closing
            bot.until(everything(bot, receiver), "a whole copy")
            with trouble(how, log_server):
                bot.says("nobody hears this")
                bot.until(lambda: bool(audit_shipping.unshipped_required(bot.deps)), "a sink that is down")
                refused = bot.asks()
                assert refused.stage is Stage.REFUSED
                assert "New masks must wait: audit shipping to `syslog`" in saw(refused.because)
                sign = audit_shipping.sink_health(bot.deps)[0]
                assert (sign.is_well, sign.needed) == (False, True)
                bot.until(lambda: any("FAILS" in text for text in bot.operations_messages), "a word to operations")
            bot.until(everything(bot, receiver), "a whole copy")
            bot.until(lambda: any("works again" in text for text in bot.operations_messages), "a word to operations")
            assert sorted(set(receiver.numbers)) == list(range(1, receiver.numbers[-1] + 1))
            assert receiver.numbers == sorted(receiver.numbers)
            bot.until(lambda: "New masks must wait" not in bot.asks().because, "another answer")
            types = [record["type"] for record in bot.store.chain()]
            assert (types.count("audit.sink_down"), types.count("audit.sink_up")) == (1, 1)


def test_of_two_replicas_one_ships_at_a_time(receiver: LogReceiver, url: str) -> None:
    bot, patient = Bot(url, sink(receiver), "bot-1"), sink(receiver, deadline=60.0)
    with bot.store.exclusive(), ThreadPoolExecutor() as pool:
        bot.says("one")
        receiver.reads.clear()
        first = pool.submit(Shipment(bot.deps, patient, "bot-1").ship)
        bot.until(lambda: bot.store.get_periodic("sink:syslog") is not None, "somebody who ships")
        assert Shipment(bot.deps, patient, "bot-2").ship()
        receiver.reads.set()
        assert first.result()
        assert receiver.numbers == [1], "the other one had it in hand"
        bot.says("two")
        assert Shipment(bot.deps, patient, "bot-2").ship()
        assert receiver.numbers == [1, 2], "and has not any more"


def test_who_ships_in_vain_keeps_it_in_hand_for_a_while(url: str) -> None:
    with Stoppable() as log_server:
        bot = Bot(url, sink(log_server.receiver), "bot-1")
        with bot.store.exclusive():
            bot.says("one")
            log_server.stop()
            assert not Shipment(bot.deps, bot.deps.sinks[0], "bot-1").ship()
            log_server.begin()
            assert Shipment(bot.deps, bot.deps.sinks[0], "bot-2").ship()
            assert log_server.receiver.numbers == []
            bot.clock.ahead += timedelta(minutes=1)
            assert Shipment(bot.deps, bot.deps.sinks[0], "bot-2").ship()
            assert log_server.receiver.numbers == [1, 2, 3], "also that it was down, and is up"


def test_where_the_record_ends_is_told_if_anything_is_new(receiver: LogReceiver, url: str) -> None:
    bot = Bot(url, sink(receiver), "bot-1")
    with bot.store.exclusive():
        bot.says("one")
        bot.store.save_periodic(first_anchor(bot.deps))
        assert bot.store.claim_periodic("bot-1") is None, "nothing at once"
        for _ in range(2):
            bot.clock.ahead += timedelta(days=1)
            task = bot.store.claim_periodic("bot-1")
            assert task is not None
            anchor(bot.deps, task)
        due = bot.store.claim_message("bot-1")
        assert due is not None
        head = bot.store.head()
        assert f"--anchor {head.seq}:{head.hash}" in due.message.body
        assert bot.store.claim_message("bot-1") is None


@contextmanager
def trouble(how: str, log_server: Stoppable) -> Iterator[None]:
    """Nothing is taken for as long as this lasts."""
    if how == "deaf":
        log_server.receiver.reads.clear()
        yield
        log_server.receiver.reads.set()
    else:
        log_server.stop()
        yield
        log_server.begin()


@pytest.mark.fault("F59", how="a best-effort receiver stopped")
def test_without_a_copy_that_is_merely_wanted_everything_goes_on_and_people_are_told(
    url: str, saw: Callable[[str], str]
) -> None:
    with tcp() as receiver:
        one = sink(receiver, SinkNeed.BEST_EFFORT)
    bot = Bot(url, one, "bot-1")
    with bot.store.exclusive(), bot.running():
        bot.says("nobody hears this")
        bot.until(lambda: any("FAILS" in text for text in bot.operations_messages), "a word to operations")
        assert "Everything else goes on." in saw(bot.operations_messages[0])
        assert "New masks must wait" not in bot.asks().because
        assert audit_shipping.unshipped_required(bot.deps) == ""
        sign = audit_shipping.sink_health(bot.deps)[0]
        assert (sign.is_well, sign.needed) == (False, False)


@pytest.mark.ssh
@pytest.mark.fault("F59", how="a required receiver stopped between a mask and its undo")
def test_an_undo_goes_on_without_the_copy_and_the_record_says_so(
    open_world: Opening, saw: Callable[[str], str]
) -> None:
    with Stoppable() as log_server, open_world(sinks=(sink(log_server.receiver),)) as world:
        copying = ShippingThread(world.deps, owner="bot-1")
        copying.start()
        masked, asked = world.masked("cron"), world.mask("tuned")
        world.until(lambda: len({*log_server.receiver.numbers}) == world.store.head().seq, "a copy of all of it")
        log_server.stop()
        world.store.record([Event("config.loaded", "success")])
        world.until(lambda: bool(audit_shipping.unshipped_required(world.deps)), "a sink that is down")
        world.vote(asked)
        assert "New masks must wait" in saw(world.ephemeral(BOB, "New masks must wait"))
        assert world.undo(masked).target.outcome is Outcome.RESTORED
        begun = [one for one in world.store.records() if one["type"] == "exec.started"]
        assert [bool(one["data"]["unshipped"]) for one in begun] == [False, True]

        log_server.begin()
        world.until(lambda: not audit_shipping.unshipped_required(world.deps), "a sink that takes it")
        assert world.approve(asked, by=CAROL).target.outcome is Outcome.PROVEN
        copying.stop()
        assert sorted(set(log_server.receiver.numbers)) == list(range(1, world.store.head().seq + 1))


@pytest.mark.ssh
@pytest.mark.fault(
    "F59", how="a required receiver that stops reading before the last approval, and right before the first command"
)
def test_nothing_is_sent_before_the_copy_is_taken_also_where_nobody_knows_yet_that_it_is_not(
    open_world: Opening, saw: Callable[[str], str]
) -> None:
    with Stoppable() as log_server, open_world(sinks=(sink(log_server.receiver),)) as world:
        copying = ShippingThread(world.deps, owner="bot-1")
        copying.start()
        waits, begins = world.mask("tuned"), world.mask("tuned", host="web-02")
        log_server.receiver.reads.clear()
        assert audit_shipping.unshipped_required(world.deps) == ""
        world.vote(waits)
        world.until(lambda: bool(audit_shipping.unshipped_required(world.deps)), "a sink that is down")
        assert world.store.get(waits.id).stage is Stage.APPROVED
        assert world.wire.verbs() == []

        log_server.receiver.reads.set()
        assert world.until_final(waits).target.outcome is Outcome.PROVEN

        world.wire.after.append(lambda call: log_server.receiver.reads.clear() if LOOK in call.argv else None)
        done = world.approve(begins)
        assert done.target.outcome is Outcome.FAILED
        assert "FAILED, NOTHING WAS CHANGED" in world.card(done)
        assert "audit shipping to `syslog` has failed since" in saw(done.target.note)
        assert world.wire.verbs("web-02") == []
        assert is_untouched(world.hosts["web-02"], "tuned.service")
        world.wire.after.clear()
        log_server.receiver.reads.set()
        copying.stop()
