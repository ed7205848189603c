"""Several bots on one PostgreSQL: one dies, one freezes past its lease and wakes, and nothing is done twice."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine, select

from bot.core.changes import Request, Stage
from bot.edges.database.engine import parse_url
from bot.edges.database.tables import targets
from bot.ports import Query
from tests.lab.demo import Demo
from tests.lab.hosts import LabHost
from tests.lab.machine import NotHereError
from tests.lab.postgres import postgres
from tests.lab.pristine import Pristine
from tests.lab.slack.lab import SlackLab
from tests.soak.fleet import DATABASE, Fleet, sailing
from tests.soak.storm import Plan, soak
from tests.stories.scene import MASKED, Story, id_of, mark, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh, pytest.mark.postgresql]

LOSSES = ("claim lost", "lease lost", "claim not given back")  # what it says, wherever it was when it froze


@pytest.fixture(scope="module")
def fleet(lab_hosts: Mapping[str, LabHost], found: Mapping[str, Pristine]) -> Iterator[Fleet]:
    """Two replicas, on hosts as they were found."""
    assert found
    with ExitStack() as stack:
        try:
            slack, cluster = stack.enter_context(SlackLab()), stack.enter_context(postgres())
        except NotHereError as cannot:
            pytest.skip(str(cannot))
        yield stack.enter_context(sailing(slack, lab_hosts, cluster))


@pytest.fixture
def story(fleet: Fleet, found: Mapping[str, Pristine]) -> Iterator[Story]:
    """One story; at its end each message stands there once."""
    one = Story(Demo(dict(fleet.hosts), fleet.slack, fleet.bots[0]))
    yield one
    for pristine in found.values():
        pristine.restore()
    marks = [mark(message) for message in one.said()]
    assert [twin for twin in {*marks} if marks.count(twin) > 1] == []


def owner_of(fleet: Fleet, story: Story, card: Mapping[str, object]) -> int:
    """Which of the bots works on it, once one does."""
    engine = create_engine(parse_url(fleet.cluster.url(DATABASE)))
    owned = select(targets.c.owner).where(targets.c.request_id == id_of(dict(card)))

    def look() -> str:
        with engine.connect() as connection:
            return connection.execute(owned).scalar() or ""

    pid = story.until(look, "an owner").rpartition(":")[2]
    engine.dispose()
    return [str(bot.pid) for bot in fleet.bots].index(pid)


def begun(story: Story, host: str) -> dict[str, object]:
    """A change whose stop takes six seconds, with its link made."""
    card = story.asks(f"/mask {host} slowstop")
    story.presses("bob", "Approve", card)
    story.until(lambda: story.link("slowstop.service", host).is_symlink(), "the link")
    return card


def done(fleet: Fleet, card: Mapping[str, object]) -> Request:
    """The request as it is stored, with what the chain says of it."""
    request = fleet.desk.get(id_of(dict(card)))
    kinds = [record["type"] for record in fleet.desk.records() if record["request_id"] == request.id]
    assert (request.stage, kinds.count("request.finished"), kinds.count("exec.begun")) == (Stage.DONE, 1, 1)
    return request


@pytest.mark.fault("F53", how="SIGKILL of the replica that carries a change out, another one running")
def test_when_one_dies_another_ends_what_it_began(fleet: Fleet, story: Story) -> None:
    card = begun(story, "web-01")
    dead = owner_of(fleet, story, card)
    fleet.bots[dead].kill()
    try:
        final = story.card("MASKED AND PROVEN · slowstop.service on web-01")
        assert story.sees("slowstop.service") == MASKED
        story.thread(final, "is masked")
        done(fleet, card)
    finally:
        fleet.bots[dead].start()


@pytest.mark.fault("F54", how="SIGSTOP of the replica that carries a change out, for longer than its lease")
def test_when_one_freezes_another_takes_over_and_its_late_writes_change_nothing(fleet: Fleet, story: Story) -> None:
    card = begun(story, "web-02")
    frozen = owner_of(fleet, story, card)
    fleet.freeze(frozen)
    try:
        final = story.card("MASKED AND PROVEN · slowstop.service on web-02")
        story.line("masked and proven")
        story.thread(final, "is masked")
        before = done(fleet, card)
    finally:
        fleet.wake(frozen)
    story.until(lambda: any(lost in fleet.bots[frozen].output for lost in LOSSES), "the loss of its claim")
    assert done(fleet, card) == before
    assert words(story.card("MASKED AND PROVEN")) == words(final)
    assert story.sees("slowstop.service", "web-02") == MASKED


@pytest.mark.fault("F38", "F55", how="each command and each press delivered to two replicas at once")
def test_what_both_hear_is_done_once(fleet: Fleet, story: Story) -> None:
    story.until(lambda: fleet.slack.connections == len(fleet.bots), "both connections")
    fleet.slack.duplicate(2)
    card = story.asks("/mask db-01 restless")
    fleet.slack.duplicate(2)
    story.presses("bob", "Approve", card)
    story.card("MASKED AND PROVEN · restless.service on db-01")
    request = done(fleet, card)
    assert len(request.votes) == 1
    assert len(fleet.desk.find(Query(host="db-01", unit=request.target.unit))) == 1


@pytest.mark.fault("F35", "F36", "F40", "F53", "F54", how="all at once for a while, at two replicas")
def test_a_short_storm_breaks_no_promise(fleet: Fleet, found: Mapping[str, Pristine]) -> None:
    """`script/soak` has a longer one."""
    try:
        soaked = soak(fleet, Plan(20.0, fault_every=2.0, kill_every=7.0))
    finally:
        for pristine in found.values():
            pristine.restore()
    assert soaked.broken == []
    assert soaked.counts["acknowledged"] > 0
    assert sum(soaked.weather.values()) > 0
