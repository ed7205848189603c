"""Two versions of the code side by side on one PostgreSQL, as during an upgrade of a fleet."""

from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
import pytest

from bot import __version__
from tests.lab.installation import ROOT
from tests.lab.machine import LabError
from tests.lab.pristine import Pristine
from tests.soak.fleet import DATABASE, Fleet, two_replicas
from tests.soak.one_change import done
from tests.soak.run import Plan, soak
from tests.soak.versions import MARK, NEXT, Rollout, be, next_version, replaced
from tests.stories.scene import MASKED, Message, Story, id_of

pytestmark = [pytest.mark.slack, pytest.mark.ssh, pytest.mark.postgresql]


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next version of this code."""
    return next_version(tmp_path_factory.mktemp("next"))


# Of this version, for each test: on a database that no other has seen.
fleet = pytest.fixture(two_replicas, name="fleet")


def versions(fleet: Fleet, request_id: str = "", kind: str = "") -> set[str]:
    """Which of them have written audit events."""
    records = [record for record in fleet.desk.records() if request_id in ("", record["request_id"])]
    return {record["version"] for record in records if kind in ("", record["type"])}


def stored_request(fleet: Fleet, request_id: str) -> tuple[str, str, str]:
    """What the next version wrote when it recorded a request."""
    asked = "SELECT colour, document ->> 'colour', document -> 'ask' ->> 'mood' FROM requests WHERE id = %s"
    with psycopg.connect(fleet.cluster.url(DATABASE)) as connection:
        first, second, third = connection.execute(asked, (request_id,)).fetchone() or ("", "", "")
    return first, second, third


@pytest.mark.fault("F56", how="each replica replaced by one of the next version, on SIGTERM, while people go on asking")
def test_while_one_after_the_other_is_replaced_every_request_is_carried_out_once(
    fleet: Fleet, newer: Path, found: Mapping[str, Pristine]
) -> None:
    rollout = Rollout(fleet, newer)
    soaked = soak(fleet, Plan(20.0), meanwhile=rollout)
    for pristine in found.values():
        pristine.restore()
    assert soaked.broken == []
    assert soaked.troubles == []
    assert soaked.counts["acknowledged"] > 0
    assert rollout.counts["replicas replaced"] == len(fleet.bots)
    assert versions(fleet) == {__version__, NEXT}


@pytest.mark.fault("F53", how="SIGKILL of a replica of the next version, with one of this version running beside it")
def test_what_the_next_version_began_this_one_ends_and_keeps_what_it_does_not_know(
    fleet: Fleet, story: Story, newer: Path, saw: Callable[[str], str]
) -> None:
    this, other = fleet.bots
    replaced(other, newer)
    card = asked_of(NEXT, fleet, story)
    host = fleet.desk.get(id_of(card)).target.host
    story.presses("bob", "Approve", card)
    story.until(lambda: story.link("slowstop.service", host).is_symlink(), "the link")
    other.kill()

    final = story.card(f"MASKED AND PROVEN · slowstop.service on {host}")
    story.thread(final, "is masked")
    assert story.sees("slowstop.service", host) == MASKED
    request = done(fleet, card)
    assert versions(fleet, request.id, "request.finished") == {__version__}
    assert stored_request(fleet, request.id) == (MARK, MARK, MARK)

    be(other, ROOT)
    with pytest.raises(LabError, match="upgraded by a newer maskbot") as refused:
        other.start()
    saw(next(line for line in str(refused.value).splitlines() if "newer maskbot" in line))
    assert this.is_running()


def asked_of(version: str, fleet: Fleet, story: Story) -> Message:
    """The card of a request that a bot of this version has recorded; Slack delivers to each in turn."""
    story.until(lambda: fleet.slack.connections == len(fleet.bots), "both connections")
    cards = [story.asks(f"/mask {host} slowstop", head=f"MASK slowstop.service on {host}") for host in fleet.hosts]
    return next(card for card in cards if versions(fleet, id_of(card), "request.received") == {version})
