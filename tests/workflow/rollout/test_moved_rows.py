"""Rows of one rollout, put in the place of another's: seals and all, they count for nothing there."""

from collections.abc import Callable, Mapping

import pytest

from bot.core.requests import FollowupKind, Request, Stage, Tally
from tests.workflow.forger import Forger
from tests.workflow.rollout.rolled import HOSTS, paused, refuse, rolled_out, targets, touched
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE
from tests.workflow.world import World

THREE = ("1", "1", "rest")


def is_told(world: World, request_id: str) -> bool:
    return f"request {request_id}" in [what for what, _ in world.store.forgeries()]


def test_a_vote_on_one_rollout_counts_for_no_other(idle_world: World, forger: Forger) -> None:
    world = idle_world
    with world.running():
        one, other = rolled_out(world, *HOSTS), rolled_out(world, *HOSTS[:2], units=("tuned",))
    world.vote(one, by=CAROL)
    (row,) = forger("SELECT * FROM votes WHERE request_id = :it", it=one.id)
    forger("DELETE FROM votes")
    forger.vote(row, request_id=other.id, digest=other.target.digest)
    with world.running():
        world.until(lambda: not world.store.get(other.id).uncounted_votes, "an answer")
        (vote,) = world.store.get(other.id).votes
        assert (vote.tally, world.store.get(other.id).stage) == (Tally.REFUSED, Stage.WAITING)
    assert touched(world) == set()


def set_stop_after(forger: Forger, whole: Request, part: Request) -> None:
    forger(
        "UPDATE requests SET document = json_set(document, '$.rollout.settings.stop_after', '100%', "
        "'$.rollout.paused_at', NULL) WHERE id = :it",
        it=whole.id,
    )


def keep_none_active(forger: Forger, whole: Request, part: Request) -> None:
    forger(
        "UPDATE requests SET document = json_set(document, '$.rollout.settings.keep_active', json('[]'), "
        "'$.rollout.settings.in_parallel', 99) WHERE id = :it",
        it=whole.id,
    )


def ready_again(forger: Forger, whole: Request, part: Request) -> None:
    forger(
        'UPDATE requests SET document = replace(document, \'"status": "failed"\', \'"status": "ready"\') '
        "WHERE id = :it",
        it=whole.id,
    )


def copied(forger: Forger, whole: Request, part: Request) -> None:
    """The last target gets the rows of the first, which is done and proven, under its own id."""
    first = forger("SELECT id FROM requests WHERE rollout = :it AND stage = 'done'", it=whole.id)[0]["id"]
    for table, key in (("requests", "id"), ("targets", "request_id")):
        columns = "document, seal, stage, version" if table == "requests" else "document, host, unit"
        forger(
            f"UPDATE {table} SET ({columns}) = (SELECT {columns} FROM {table} WHERE {key} = :first) "  # noqa: S608
            f"WHERE {key} = :it",
            first=first,
            it=part.id,
        )


EDITS: Mapping[str, Callable[[Forger, Request, Request], None]] = {
    "its stop_after": set_stop_after,
    "its keep_active": keep_none_active,
    "the status of what failed": ready_again,
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_paused_rollout_whose_settings_somebody_edited_goes_no_further(
    world: World, forger: Forger, edit: str
) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)
    refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    kept = forger.copy(asked.id)
    EDITS[edit](forger, stopped, targets(world, asked)["db-01"])
    forger.wake(asked.id)
    world.until(lambda: is_told(world, asked.id), "the notice")
    assert touched(world) == {"web-01"}
    forger.put_back(asked.id, kept)


def test_a_target_with_the_rows_of_another_is_nothing(world: World, forger: Forger) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)
    refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    last = targets(world, asked)["db-01"]
    kept = forger.copy(last.id)
    copied(forger, stopped, last)
    world.follow_up(asked, FollowupKind.GO_ON, by=ALICE)
    world.until(lambda: is_told(world, last.id), "the notice")
    assert touched(world) == {"web-01"}
    forger.put_back(last.id, kept)


@pytest.mark.parametrize("kind", [FollowupKind.GO_ON, FollowupKind.STOP_HERE])
def test_nobody_steers_who_may_neither_approve_nor_is_on_call(world: World, kind: FollowupKind) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)
    refuse(world, "web-02")
    world.vote(asked, by=BOB)
    stopped = paused(world, asked)
    assert world.follow_up(stopped, kind, by=DAVE).tally is Tally.REFUSED
    assert world.store.get(asked.id).rollout == stopped.rollout
    assert touched(world) == {"web-01"}
