"""Columns find requests; what they say of one counts for nothing."""

from collections.abc import Mapping

import pytest

from bot.core.requests import Stage
from tests.workflow.forger import Forger
from tests.workflow.slack import ALICE
from tests.workflow.world import World

MOVES: Mapping[str, str] = {
    "the host": "UPDATE targets SET host = 'db-01' WHERE request_id = :it",
    "the unit": "UPDATE targets SET unit = 'tuned.service' WHERE request_id = :it",
}


@pytest.mark.parametrize("moves", MOVES)
def test_an_undo_that_needs_no_approval_is_that_of_the_very_mask(idle_world: World, forger: Forger, moves: str) -> None:
    """Alice may undo what she asked for. What somebody else masked stays until people approve its end."""
    world = idle_world
    host, unit = ("db-01", "cron.service") if moves == "the host" else ("web-01", "tuned.service")
    with world.running():
        mine = world.masked("cron", by=ALICE)
        world.hosts[host].run("systemctl", "mask", "--now", unit)
    forger(MOVES[moves], it=mine.id)
    with world.running():
        asked = world.unmask(unit, host=host, by=ALICE)
        assert (asked.stage, asked.ask.undoes) == (Stage.WAITING, "")
        world.until(lambda: _is_told(world, mine.id), "the notice")
    forger("UPDATE targets SET host = 'web-01', unit = 'cron.service' WHERE request_id = :it", it=mine.id)


def _is_told(world: World, request_id: str) -> bool:
    return f"request {request_id}" in [what for what, _ in world.store.forgeries()]
