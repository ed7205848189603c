"""Whoever hides events in the database brings nothing back that they have ended."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.core.audit.chain import BrokenChain
from bot.core.requests import Outcome, Request, Stage
from tests.workflow.forger import Forger, Rows, sent, told
from tests.workflow.world import World

ABOUT = "SELECT * FROM events WHERE request_id = :it ORDER BY seq"
HIDES: Mapping[str, str] = {
    "moved to another request": "UPDATE events SET request_id = 'r0' WHERE request_id = :it AND seq > :seq",
    "deleted": "DELETE FROM events WHERE request_id = :it AND seq > :seq",
}


def undone(world: World, forger: Forger) -> tuple[Request, Rows, int]:
    """A mask that was undone, with its rows right before its first command, and the number of the newest event then."""
    kept, newest = list[Rows](), list[int]()

    def keep(call: Any) -> None:
        if not kept and call.verb:
            kept.append(forger.copy(asked.id))
            newest.append(forger(ABOUT, it=asked.id)[-1]["seq"])

    with world.running():
        asked = world.mask("cron")
        world.wire.before.append(keep)
        done = world.approve(asked)
        assert world.undo(done).target.outcome is Outcome.RESTORED
    return asked, kept[0], newest[0]


def put_back(forger: Forger, events: list[dict[str, Any]]) -> None:
    """Restore the events, so that the world ends in order."""
    for row in events:
        forger(f"REPLACE INTO events ({', '.join(row)}) VALUES (:{', :'.join(row)})", **row)  # noqa: S608


@pytest.mark.parametrize("how", HIDES)
@pytest.mark.parametrize("seen", ["is hidden", ""], ids=["after a verification", "before one"])
def test_a_request_whose_end_is_hidden_is_not_carried_out_again(
    idle_world: World, forger: Forger, how: str, seen: str
) -> None:
    """Its rows and their seals are the bot's own, and so are the events that are left. `seen`: what is
    said if a verification had come past the others.
    """
    world = idle_world
    asked, kept, newest = undone(world, forger)
    before, events, over = sent(world), forger(ABOUT, it=asked.id), forger.copy(asked.id)
    if seen:
        world.store.verify_chain()
    forger(HIDES[how], it=asked.id, seq=newest)
    forger.put_back(asked.id, kept)
    assert world.store.get(asked.id).stage is Stage.RUNNING
    with world.running():
        world.until(lambda: told(world, seen or "The audit chain is broken"), "the notice")
    assert sent(world) == before
    put_back(forger, events)
    forger.put_back(asked.id, over)


@pytest.mark.parametrize("how", HIDES)
def test_a_process_that_starts_finds_that_events_were_hidden(
    idle_world: World, forger: Forger, database: str, how: str
) -> None:
    world = idle_world
    with world.running():
        done = world.masked("cron")
    events = forger(ABOUT, it=done.id)
    forger(HIDES[how], it=done.id, seq=events[0]["seq"])
    world.store.stored_chain._verified = None  # as in a process that starts
    assert isinstance(world.store.verify_chain(), BrokenChain)
    put_back(forger, events)
