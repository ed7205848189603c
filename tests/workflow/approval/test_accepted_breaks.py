"""After a break that an operator accepted, nothing runs by what was approved or begun before it."""

import pytest

from bot.core.audit.chain import BrokenChain, Event
from bot.core.requests import Stage
from tests.workflow.approval.test_hidden_events import ABOUT, HIDES, put_back, undone
from tests.workflow.forger import Forger, sent, told
from tests.workflow.world import World

BREAK = "UPDATE events SET body = replace(body, 'success', 'denied') WHERE seq = 1"
MEND = "UPDATE events SET body = replace(body, 'denied', 'success') WHERE seq = 1"


def accept_break(world: World) -> None:
    chain = world.store.stored_chain
    chain._verified = None  # as in a process that starts
    assert isinstance(world.store.verify_chain(), BrokenChain)
    chain.accept_break("restored", by="root", at=world.clock.now(), anchor=None)
    world.store.verify_chain()


@pytest.mark.parametrize("why", ["before a break", "is hidden"], ids=["hidden before it", "hidden after it"])
def test_what_ended_before_it_is_not_carried_out_again(idle_world: World, forger: Forger, why: str) -> None:
    """Its rows and their seals are the bot's own, and nobody verifies events anew that are older than the break."""
    world = idle_world
    world.store.record([Event("config.loaded", "success")])
    asked, kept, newest = undone(world, forger)
    before, events, over = sent(world), forger(ABOUT, it=asked.id), forger.copy(asked.id)
    forger(BREAK)
    if why == "is hidden":
        accept_break(world)
    forger(HIDES["deleted"], it=asked.id, seq=newest)
    if why != "is hidden":
        accept_break(world)
    forger.put_back(asked.id, kept)
    assert world.store.get(asked.id).stage is Stage.RUNNING
    with world.running():
        world.until(lambda: told(world, why), "the notice")
    assert sent(world) == before
    put_back(forger, events)
    forger.put_back(asked.id, over)
    forger(MEND)
