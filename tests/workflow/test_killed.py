"""SIGKILL at every step of a change: started again, the bot brings it to its end by itself, once, and proven."""

import json
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.audit import Verified, verify
from bot.core.changes import Ask, Change, Outcome, Request, Term, Verb, Verdict
from bot.core.configured import Configured
from bot.core.units import UnitName
from bot.edges.database import Database
from bot.edges.ssh import SshHosts
from bot.ports import Query
from bot.workflow import InForce, Parts, Workflow
from bot.workflow.answering import Answers
from tests.lab.hosts import LabHost
from tests.workflow.killed import Settings, written
from tests.workflow.slack import ALICE, BOB, INCIDENT, Channels, People
from tests.workflow.world import POLICY, Hands, inventory

pytestmark = pytest.mark.ssh

# In the order of a change; "after" a command is before its answer was read.
MOMENTS = (
    "after probe",
    "after unprobe",
    "before stop",
    "after stop",
    "before mask",
    "after mask",
    "before daemon-reload",
    "after daemon-reload",
    "after start",
    "before update",
    "after post line",
)

# In the order of an end; the first look, which has no verb, is the one before the end is asked for.
MOMENTS_OF_AN_END = (
    "before ",
    "before unmask",
    "after unmask",
    "before daemon-reload",
    "after daemon-reload",
    "before start",
    "after start",
    "before update",
)
TAKEN_BACK, AS_BEFORE = (f"{title} · worker.service on web-01" for title in ("TAKEN BACK", "UNMASKED, AS BEFORE"))


class Desk:
    """People's side of a bot that runs in another process, through the database they share."""

    def __init__(self, host: LabHost, folder: Path) -> None:
        (folder / "slack").mkdir()
        (known,) = inventory({host.name: host}).hosts
        fields = asdict(known) | {"pins": sorted(known.pins), "groups": []}
        url, key, slack = f"sqlite:///{folder}/var/maskbot.db", str(host.key_file), str(folder / "slack")
        self.settings = Settings(url, [fields], key, slack)
        self.host = host
        self.clock = Hands()
        self.store = Database(self.settings.url, clock=self.clock, instance="desk")

    @contextmanager
    def bot(self, *, dies: str = "") -> Iterator[subprocess.Popen[str]]:
        """A bot that works until it dies, or until this ends."""
        settings = Settings(**(asdict(self.settings) | {"dies": dies}))
        argv = [sys.executable, "-m", "tests.workflow.killed", written(settings)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Look at the database until it holds; its owner is another process, so nothing rings here."""
        deadline = time.monotonic() + 40
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            self.store.wait_for_work(0.05)

    def cards(self) -> list[str]:
        """The head lines of all cards that stand in Slack."""
        kept = [json.loads(path.read_text()) for path in sorted(Path(self.settings.slack).iterdir())]
        return [said["text"].partition("\n")[0] for said in kept if said["mark"].endswith(":card")]


@pytest.fixture
def desk(host: LabHost, tmp_path: Path) -> Iterator[Desk]:
    """An empty database and a bot that is not running yet."""
    one = Desk(host, tmp_path)
    with one.store.exclusive():
        pass  # the schema is there before the bot is
    yield one
    one.store.close()


def asked(desk: Desk, ways: SshHosts, term: Term | None = None) -> tuple[Workflow, Request]:
    """Alice asks for worker.service."""
    in_force = InForce(Configured(inventory({"web-01": desk.host}), POLICY))
    parts = Parts(desk.store, ways, People(), Channels(), desk.clock, in_force)
    workflow = Workflow(parts, Answers(parts))
    change = Change(Verb.MASK, "web-01", UnitName("worker.service"), term=term)
    return workflow, workflow.submit(Ask(change, ALICE.id, "alice", INCIDENT, "INC-42"), key=secrets.token_hex(8))


def approve(desk: Desk, workflow: Workflow, request: Request) -> None:
    """Bob says yes as soon as there is a card."""
    desk.until(lambda: bool(desk.store.card(request.id)[1]), "a card")
    now, card = desk.store.get(request.id), desk.store.card(request.id)
    workflow.vote(
        request.id, Verdict.APPROVE, by=BOB.id, name="bob", place=INCIDENT, digest=now.target.digest, card=card
    )


@pytest.mark.fault(
    "F57",
    "K2",
    "K6",
    "K7",
    "K8",
    "K10",
    how="SIGKILL before and after every command and message",
    saw="the same card and the same end as without",
)
def test_a_bot_that_is_killed_at_every_step_ends_what_it_began_once(desk: Desk, ways: SshHosts) -> None:
    stops = own_stops(desk.host)
    with desk.bot(dies="before post card") as process:
        workflow, request = asked(desk, ways)
        assert process.wait(timeout=40) == -signal.SIGKILL
    with desk.bot(dies=MOMENTS[0]) as process:
        approve(desk, workflow, request)
        assert process.wait(timeout=40) == -signal.SIGKILL
    for moment in MOMENTS[1:]:
        with desk.bot(dies=moment) as process:
            assert process.wait(timeout=40) == -signal.SIGKILL, moment
    with desk.bot():
        desk.until(lambda: desk.store.get(request.id).stage.is_final, "the end")
        desk.until(lambda: desk.cards() == ["MASKED AND PROVEN · worker.service on web-01"], "one final card")

    done = desk.store.get(request.id)
    assert done.target.outcome is Outcome.PROVEN, (done.target.note, done.because)
    assert desk.host.show("worker.service", "LoadState", "ActiveState") == {
        "LoadState": "masked",
        "ActiveState": "inactive",
    }
    assert own_stops(desk.host) == stops + 1
    records = list(desk.store.records())
    assert isinstance(verify(records, anchor=desk.store.head()), Verified)
    intents = [record["data"]["step"] for record in records if record["type"] == "exec.intent"]
    assert {"link", "stop", "reload", "try-start"} <= set(intents)
    assert [record["type"] for record in records].count("request.finished") == 1


@pytest.mark.fault(
    "F57",
    "K2",
    "K6",
    "K7",
    "K8",
    "K10",
    how="SIGKILL before and after every command of an end",
    saw="the same card and the same end as without",
)
def test_a_bot_that_is_killed_at_every_step_of_an_end_ends_the_mask_once_and_exactly(
    desk: Desk, ways: SshHosts
) -> None:
    before = unit_states(desk.host)
    with desk.bot():
        workflow, mask = asked(desk, ways, Term(lasts=timedelta(hours=1)))
        approve(desk, workflow, mask)
        desk.until(lambda: desk.store.get(mask.id).stage.is_final, "the mask")
    assert desk.store.get(mask.id).target.outcome is Outcome.PROVEN
    the_hour_passes(desk, mask)
    for moment in MOMENTS_OF_AN_END:
        with desk.bot(dies=moment) as process:
            assert process.wait(timeout=40) == -signal.SIGKILL, moment
    with desk.bot():
        desk.until(lambda: bool(desk.store.get(mask.id).undone_by), "the end")
        desk.until(lambda: sorted(desk.cards()) == [TAKEN_BACK, AS_BEFORE], "a final card for each of both")

    (back,) = (one for one in desk.store.find(Query()) if one.ask.undoes == mask.id)
    assert back.target.outcome is Outcome.RESTORED, (back.target.note, back.because)
    assert unit_states(desk.host) == before
    records = list(desk.store.records())
    assert isinstance(verify(records, anchor=desk.store.head()), Verified)
    intents = [record["data"]["step"] for record in records if record["type"] == "exec.intent"]
    assert intents.count("start worker.service") == 2  # the first was never sent, and the second not repeated
    assert [record["type"] for record in records].count("request.finished") == 2


def the_hour_passes(desk: Desk, mask: Request) -> None:
    """While no bot runs."""
    done, now = desk.store.get(mask.id), desk.clock.now()
    desk.store.save(replace(done, standing=replace(done.standing, ends_at=now), due_at=now))


def unit_states(host: LabHost) -> list[dict[str, str]]:
    """The unit, and what stops with it."""
    asked_of = ("LoadState", "ActiveState", "UnitFileState")
    return [host.show(unit, *asked_of) for unit in ("worker.service", "metrics.service")]


def own_stops(host: LabHost) -> int:
    """How often the unit's own stop command has run."""
    return host.run("sh", "-c", "cat /var/lib/lab/worker.stopped 2>/dev/null").stdout.count("stopped")
