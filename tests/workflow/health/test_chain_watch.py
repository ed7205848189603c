"""A bot whose audit chain is broken looks and answers only, says so everywhere, and goes on once that is accepted."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.audit.anchor import Anchor
from bot.core.audit.chain import START, Event, Head
from bot.core.requests import Outcome, Stage
from bot.workflow.health.chain_watch import ChainWatch
from tests.workflow.slack import words
from tests.workflow.world import POLICY, World

OPERATIONS = "COPS"


@pytest.fixture
def changed_deps() -> dict[str, object]:
    return {"policy": replace(POLICY, operations_channel=OPERATIONS)}


def write(url: str, statement: str) -> None:
    with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")), timeout=10)) as connection, connection:
        assert connection.execute(statement).rowcount


def told(world: World, part: str) -> None:
    def is_told() -> bool:
        return any(part in words(one.text) for one in list(world.slack.messages.values()) if one.channel == OPERATIONS)

    world.until(is_told, f"a notice `{part}`")


CHANGE = "UPDATE events SET body = replace(body, {}) WHERE seq = 1"


def break_it(world: World, database: str, watch: ChainWatch) -> None:
    """Somebody changes an event, and the bot is started anew."""
    write(database, CHANGE.format("'success', 'denied'"))
    world.store.stored_chain._verified = None
    watch.turn()


def test_a_broken_chain_stops_everything_until_somebody_accepts_it(idle_world: World, database: str) -> None:
    world, watch = idle_world, ChainWatch(idle_world.deps)
    world.store.record([Event("config.loaded", "success")])  # about no request: those that it is about stay refused
    with world.running():
        done, waiting = world.masked("cron"), world.mask("tuned")
        watch.turn()
        sent = world.wire.verbs()
        break_it(world, database, watch)
        told(world, "THE AUDIT CHAIN IS BROKEN at record 1: its content is not what was sealed")
        assert world.mask("restless").stage is Stage.REFUSED
        world.vote(waiting)
        world.until(lambda: not world.store.get(waiting.id).uncounted_votes, "the refusal")
        assert world.store.get(waiting.id).have == 0
        assert world.undo(done).stage is Stage.REFUSED
        assert world.wire.verbs() == sent

        world.store.stored_chain.accept_break("restored", by="root", at=world.clock.now(), anchor=None)
        watch.turn()
        told(world, "The audit chain is trusted again")
        assert world.undo(done).target.outcome is Outcome.RESTORED
    write(database, CHANGE.format("'denied', 'success'"))


def test_a_broken_chain_is_told_to_whoever_asks_for_health_and_is_no_anchor(idle_world: World, database: str) -> None:
    world, kept = idle_world, list[Head]()
    watch = ChainWatch(world.deps, keep=lambda head, _at: kept.append(head))
    world.store.record([Event("config.loaded", "success")])
    with world.running():
        world.mask("cron")
    watch.turn()
    assert [one.is_well for one in watch.components()] == [True]
    assert kept == [world.store.head()]
    break_it(world, database, watch)
    (health,) = watch.components()
    assert (health.is_well, health.patience, health.needed) == (False, timedelta(), True)
    assert len(kept) == 1
    write(database, CHANGE.format("'denied', 'success'"))


def test_a_process_that_is_killed_leaves_an_anchor_of_a_moment_ago(idle_world: World, database: str) -> None:
    """Else whatever ended within the last hour could be cut off, and the rows put back."""
    world, kept = idle_world, list[Anchor]()
    watch = ChainWatch(world.deps, keep=lambda head, at: kept.append(Anchor(head, at)))
    for number in range(2):
        world.store.record([Event("config.loaded", "success", data={"number": number})])
        watch.turn()
    assert kept[-1].head == world.store.head()
    write(database, "DELETE FROM events WHERE seq = 2")
    write(database, "UPDATE chain_head SET (seq, hash) = (SELECT seq, hash FROM events)")
    chain = world.store.stored_chain  # of a process that starts
    chain._verified, chain._newest = None, START
    ChainWatch(world.deps, anchor=kept[-1]).turn()
    assert "it once reached 2" in world.deps.integrity.why_broken
    chain.accept_break("the end of the test", by="root", at=world.clock.now(), anchor=kept[-1])


@pytest.mark.parametrize("seq", [1, 99])
def test_a_database_that_was_set_back_does_not_contain_the_anchor(idle_world: World, seq: int) -> None:
    """An older backup is intact by itself; the anchor is kept outside of it."""
    world = idle_world
    with world.running():
        world.mask("cron")
    anchor = Anchor(Head(seq, "f" * 64), world.clock.now())
    watch = ChainWatch(world.deps, anchor=anchor)
    watch.turn()
    assert "once" in world.deps.integrity.why_broken
    world.store.stored_chain.accept_break("an older backup", by="root", at=world.clock.now(), anchor=anchor)
    watch.turn()
    assert world.deps.integrity.why_broken == ""


def test_a_forged_row_is_told_once(idle_world: World, database: str) -> None:
    world, watch = idle_world, ChainWatch(idle_world.deps)
    with world.running():
        asked = world.mask("cron")
        write(database, "UPDATE requests SET seal = 'x:y'")
        assert world.requests() == []
        watch.turn()
        told(world, f"THE DATABASE HOLDS WHAT THE BOT DID NOT WRITE: request {asked.id}")
        watch.turn()
    forged = [record for record in world.store.chain() if record["type"] == "audit.forgery"]
    assert len(forged) == 1
