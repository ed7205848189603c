"""Several bots on one PostgreSQL: one freezes past its lease, its heir dies, and nothing is done twice."""

import time

import pytest

from bot.edges.clock import SystemClock
from bot.ports import Query
from tests.soak.fleet import Fleet
from tests.soak.one_change import done, owners
from tests.stories.scene import Story, mark, words
from tests.workflow.invariants import Seen, broken

pytestmark = [pytest.mark.slack, pytest.mark.ssh, pytest.mark.postgresql]

UNIT = "endless.service"  # its stop lasts until somebody kills it, so no machine is too slow for what happens meanwhile
LOSSES = ("claim lost", "lease lost", "claim not given back")  # what it says, wherever it was when it froze


@pytest.mark.fault("F53", how="SIGKILL of the replica that carries out a change, another one running")
@pytest.mark.fault("F54", how="SIGSTOP of the replica that carries out a change, for longer than its lease")
def test_when_one_freezes_or_dies_another_ends_what_it_began_once(fleet: Fleet, story: Story) -> None:
    card = the_stop_has_begun(story)
    frozen = freeze_the_owner(fleet, story, card)
    heir = 1 - frozen
    try:
        story.until(lambda: owners(fleet, card) == [heir], "the other one to take over")
        fleet.bots[heir].kill()
    finally:
        fleet.wake(frozen)
    story.until(lambda: any(lost in fleet.bots[frozen].output for lost in LOSSES), "the loss of its claim")
    story.until(lambda: owners(fleet, card) == [frozen], "the one that is left to take over")
    story.host().run("systemctl", "kill", "--signal=KILL", UNIT)

    final = story.card(f"MASKED AND PROVEN · {UNIT} on web-01")
    story.line("masked and proven")
    story.thread(final, "is masked")
    assert story.sees(UNIT)["LoadState"] == "masked"
    done(fleet, card)
    assert promises_broken(fleet, story) == []


def the_stop_has_begun(story: Story) -> dict[str, object]:
    """A change that a bot is about to wait for."""
    story.host().run("systemctl", "start", UNIT)
    card = story.asks(f"/mask web-01 {UNIT}")
    story.presses("bob", "Approve", card)
    story.until(lambda: story.sees(UNIT)["ActiveState"] == "deactivating", "its stop")
    return card


def freeze_the_owner(fleet: Fleet, story: Story, card: dict[str, object]) -> int:
    """Freeze the bot that works on it now. One that gave it back at that moment has nothing to lose, and goes on."""
    while True:
        (owner,) = story.until(lambda: owners(fleet, card), "an owner")
        fleet.freeze(owner)
        time.sleep(0.3)  # until the database has done what it was told before
        if owners(fleet, card) == [owner]:
            return owner
        fleet.wake(owner)


def promises_broken(fleet: Fleet, story: Story) -> list[str]:
    """In words."""
    said = [(mark(message), words(message)) for message in story.messages()]
    records, head = list(fleet.desk.records()), fleet.desk.head()
    return broken(Seen(records, head, fleet.desk.find(Query()), said, SystemClock().now()))
