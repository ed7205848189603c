"""Several bots on one PostgreSQL: one dies, one freezes past its lease and wakes, and nothing is done twice."""

from collections.abc import Mapping

import pytest

from bot.ports import Query
from tests.lab.pristine import Pristine
from tests.soak.fleet import Fleet
from tests.soak.one_change import begun, done, owner_of
from tests.soak.storm import Plan, soak
from tests.stories.scene import MASKED, Story, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh, pytest.mark.postgresql]

LOSSES = ("claim lost", "lease lost", "claim not given back")  # what it says, wherever it was when it froze


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
