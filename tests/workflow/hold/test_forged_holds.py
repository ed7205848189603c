"""Whoever writes the rows of a hold for many hosts brings it to none where people did not approve its plan."""

from bot.core.requests import Request, TargetStatus
from tests.workflow.forger import Forger
from tests.workflow.hold.test_hold_group import (
    changed_deps,
    edit,
    hold_group,
    is_masked,
    part,
    reload,
    until_there,
    world,
)
from tests.workflow.rollout.rolled import statuses
from tests.workflow.world import World

__all__ = ("changed_deps", "world")


def differing(world: World) -> tuple[Request, Request]:
    """A hold, and what is asked anew for a host that has joined, because its plan differs there."""
    reload(world, "web-01")
    done = hold_group(world)
    for host in ("web-02", "db-01"):
        edit(world, host)
    reload(world, "web-01", "web-02")
    return done, until_there(world, done, TargetStatus.ASKED_AGAIN, "web-02")


def is_told(world: World, request_id: str) -> bool:
    return f"request {request_id}" in [what for what, _ in world.store.forgeries()]


def test_a_plan_that_somebody_wrote_to_be_carried_out_is_approved_for_no_other_host(
    world: World, forger: Forger
) -> None:
    done, asked = differing(world)
    rows = forger.copy(asked.id)
    forger("UPDATE requests SET stage = 'done' WHERE id = :it", it=asked.id)
    forger(
        "UPDATE targets SET document = json_set(document, '$.outcome', 'proven') WHERE request_id = :it", it=asked.id
    )
    world.store.make_due(done.id)
    world.until(lambda: is_told(world, asked.id), "the notice")
    assert statuses(world, done)["web-02"] is TargetStatus.ASKED_AGAIN
    forger.put_back(asked.id, rows)
    reload(world, "web-01", "web-02", "db-01")
    until_there(world, done, TargetStatus.ASKED_AGAIN, "db-01")
    assert not is_masked(world, "db-01")


def test_a_mask_that_somebody_wrote_to_be_gone_still_belongs_to_the_hold(world: World, forger: Forger) -> None:
    done = hold_group(world)
    held = part(world, done)
    rows = forger.copy(held.id)
    forger(
        "UPDATE requests SET document = json_set(document, '$.undone_by', 'r0') WHERE id = :it",
        it=held.id,
    )
    world.store.make_due(done.id)
    world.until(lambda: is_told(world, held.id), "the notice")
    assert statuses(world, done)["web-02"] is TargetStatus.DONE
    forger.put_back(held.id, rows)
