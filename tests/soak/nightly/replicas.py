"""Several bots on one PostgreSQL receive the same events: nothing is done twice."""

import pytest

from bot.ports import Query
from tests.soak.fleet import Fleet
from tests.soak.one_change import done
from tests.stories.scene import Story

pytestmark = [pytest.mark.slack, pytest.mark.ssh, pytest.mark.postgresql]


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
