"""Whoever takes a denial out of the database lets nobody else's approval count."""

from collections.abc import Callable, Mapping

import pytest

from bot.core.requests import Request, Stage, Verdict
from tests.workflow.forger import Forger, told
from tests.workflow.slack import BOB, CAROL
from tests.workflow.world import World

MISSING = "the denial by UCAROL is missing"


def take_it_out(forger: Forger, request: Request) -> None:
    forger("DELETE FROM votes WHERE request_id = :it", it=request.id)


def write_that_it_was_refused(forger: Forger, _: Request) -> None:
    forger("UPDATE votes SET tally = 'refused', document = json_set(document, '$.tally', 'refused')")


def turn_it_round(forger: Forger, _: Request) -> None:
    forger("UPDATE votes SET document = json_set(document, '$.verdict', 'approve')")


def hide_its_event_too(forger: Forger, request: Request) -> None:
    take_it_out(forger, request)
    forger("UPDATE events SET request_id = 'r0' WHERE type = 'approval.recorded' AND request_id = :it", it=request.id)


ATTACKS: Mapping[str, tuple[Callable[[Forger, Request], None], str]] = {
    "deleted": (take_it_out, MISSING),
    "refused": (write_that_it_was_refused, MISSING),
    "turned round": (turn_it_round, MISSING),
    "with its event": (hide_its_event_too, "An event about request"),
}


@pytest.mark.parametrize("how", ATTACKS)
def test_a_denial_that_somebody_took_away_still_stands(idle_world: World, forger: Forger, how: str) -> None:
    """Whoever writes the leases chooses when votes are counted."""
    world, (attack, why) = idle_world, ATTACKS[how]
    with world.running():
        asked = world.mask("cron")
    world.vote(asked, Verdict.DENY, by=CAROL)
    world.store.verify_chain()
    attack(forger, asked)
    with world.running():
        world.until(lambda: how != "turned round" or told(world, "something else"), "the forged vote's refusal")
        world.vote(asked, by=BOB)
        world.until(lambda: told(world, why), "the notice")
        world.until(lambda: not world.store.get(asked.id).uncounted_votes, "the refusal")
        now = world.store.get(asked.id)
        assert (now.stage, now.have) == (Stage.WAITING, 0)
    assert not any(call.verb for call in world.wire.calls)
    forger("UPDATE events SET request_id = :it WHERE request_id = 'r0'", it=asked.id)


def test_a_denial_that_somebody_put_behind_a_later_approval_is_counted_first(idle_world: World, forger: Forger) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("cron")
    world.vote(asked, Verdict.DENY, by=CAROL)
    (row,) = forger("SELECT * FROM votes WHERE request_id = :it", it=asked.id)
    take_it_out(forger, asked)
    world.vote(asked, by=BOB)
    forger.vote(row)
    with world.running():
        assert world.until_final(asked).stage is Stage.DENIED
