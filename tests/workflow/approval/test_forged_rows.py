"""Whoever writes the database, and may even copy what the bot sealed there: no host hears of it, and operators do."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot.core.requests import Duration, Outcome, Request, Stage, Tally, Verdict
from tests.workflow.forger import Forger, Rows, sent, told
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, caller
from tests.workflow.world import World


def vote_row(forger: Forger, request: Request, who: str) -> dict[str, Any]:
    (row,) = forger("SELECT * FROM votes WHERE request_id = :it AND voter_user = :who", it=request.id, who=who)
    return row


def refused_as_forged(world: World, request: Request) -> None:
    """The vote is refused, the request waits as before, and the operators are told."""
    world.until(lambda: not world.store.get(request.id).uncounted_votes, "the vote's refusal")
    now = world.store.get(request.id)
    assert (now.stage, now.have) == (Stage.WAITING, 0)
    assert sent(world) == []
    codes = [record["reason_code"] for record in world.store.chain() if record["type"] == "approval.refused"]
    assert codes[-1] == "not_sealed"
    assert told(world, ""), "the operators are told"


def cast(world: World, forger: Forger, request: Request, by: Any, verdict: Verdict = Verdict.APPROVE) -> dict[str, Any]:
    """A real vote that is recorded, taken out of the table before it is counted."""
    world.vote(request, verdict, by=by)
    row = vote_row(forger, request, by.id.user)
    forger("DELETE FROM votes WHERE request_id = :it", it=request.id)
    return row


FORGERIES: Mapping[str, Callable[[Forger, dict[str, Any]], None]] = {
    "a vote that nobody gave": lambda forger, row: forger.vote(row, event="0" * 32),
    "a vote without an event": lambda forger, row: forger.vote(row, event=""),
    "another person's event": lambda forger, row: forger.vote(
        row, voter_user="UBOB", voter=json.loads(row["document"])["voter"] | {"user": "UBOB"}
    ),
    "another plan's event": lambda forger, row: forger.vote(row, console_works=True),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_vote_that_its_event_does_not_confirm_is_not_counted(idle_world: World, forger: Forger, how: str) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("cron")
    row = cast(world, forger, asked, CAROL)
    FORGERIES[how](forger, row)
    with world.running():
        refused_as_forged(world, asked)


def test_a_denial_does_not_become_an_approval(idle_world: World, forger: Forger) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("cron")
    forger.vote(cast(world, forger, asked, CAROL, Verdict.DENY), verdict="approve")
    with world.running():
        refused_as_forged(world, asked)


def test_a_vote_on_another_request_does_not_count_here(idle_world: World, forger: Forger) -> None:
    world = idle_world
    with world.running():
        asked, other = world.mask("cron"), world.mask("tuned")
    row = cast(world, forger, other, CAROL)
    forger.vote(row, request_id=asked.id, digest=asked.target.digest)
    with world.running():
        refused_as_forged(world, asked)


def test_a_vote_that_was_refused_is_not_counted_later(idle_world: World, forger: Forger) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("cron")
        world.vote(asked, by=DAVE)
        world.until(lambda: not world.store.get(asked.id).uncounted_votes, "the refusal")
        row = vote_row(forger, asked, DAVE.id.user)
    world.people.groups["sre"] = {*world.people.groups["sre"], DAVE.id}
    forger.vote(row, reason="")
    with world.running():
        refused_as_forged(world, asked)


def test_an_event_without_our_seal_confirms_no_vote(idle_world: World, forger: Forger) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("cron")
    row = cast(world, forger, asked, BOB)
    forger("UPDATE events SET mac = 'ab' WHERE type = 'approval.recorded'")
    forger.vote(row)
    with world.running():
        refused_as_forged(world, asked)
    forger("UPDATE events SET mac = :mac WHERE mac = 'ab'", mac=_right_mac(world))  # so that the world ends in order


def _right_mac(world: World) -> str:
    record = next(record for record in world.store.chain() if record["mac"] == "ab")
    return world.store.stored_chain._keys.seal("event", record["hash"]).mac


def test_a_counted_vote_that_nobody_gave_stops_everything_about_its_request(idle_world: World, forger: Forger) -> None:
    world = idle_world
    with world.running():
        asked = world.mask("cron")
        other = world.mask("tuned")
    row = cast(world, forger, asked, CAROL)
    forger.vote(row)
    forger("UPDATE votes SET tally = 'counted', document = replace(document, '\"recorded\"', '\"counted\"')")
    rows = forger.copy(asked.id)
    with world.running():
        assert world.approve(other).target.outcome is Outcome.PROVEN
        assert [what for what, _ in world.store.forgeries()] == [f"request {asked.id}"]
        assert not any("cron" in one for one in sent(world))
    forger("DELETE FROM votes WHERE request_id = :it", it=asked.id)
    assert rows["votes"]


def test_a_request_that_was_denied_does_not_wait_again(idle_world: World, forger: Forger) -> None:
    """Its rows and their seals are the bot's own; but its events say that it went on since."""
    world = idle_world
    with world.running():
        asked = world.mask("cron")
    kept = forger.copy(asked.id)
    with world.running():
        world.vote(asked, Verdict.DENY, by=CAROL)
        assert world.until_final(asked).stage is Stage.DENIED
    forger.put_back(asked.id, kept)
    assert world.store.get(asked.id).stage is Stage.WAITING
    with world.running():
        world.vote(world.store.get(asked.id), by=BOB)
        refused_as_forged(world, asked)


def test_an_approved_request_that_was_set_back_is_not_carried_out_again(idle_world: World, forger: Forger) -> None:
    """An approval is good for one execution."""
    world = idle_world
    with world.running():
        asked = world.mask("cron")
        kept: list[Rows] = []

        def keep(call: Any) -> None:
            if not kept and call.verb:
                kept.append(forger.copy(asked.id))

        world.wire.before.append(keep)
        done = world.approve(asked)
        assert done.target.outcome is Outcome.PROVEN
        world.wire.before.remove(keep)
        assert world.undo(done).target.outcome is Outcome.RESTORED
    before = sent(world)
    forger.put_back(asked.id, kept[0])
    assert world.store.get(asked.id).stage is Stage.RUNNING
    with world.running():
        world.until(lambda: told(world, "was set back to an earlier state"), "the notice")
    assert sent(world) == before
    forger.put_back(asked.id, kept[0])


def test_a_mask_that_was_extended_is_not_undone_at_its_first_expiry(idle_world: World, forger: Forger) -> None:
    """The expiry needs nobody's approval; the rows and their seals are the bot's own, from before the extension."""
    world = idle_world
    with world.running():
        done = world.masked("cron", duration=Duration(lasts=timedelta(hours=1)))
        world.until(lambda: world.store.get(done.id).due_at is not None, "its timer")
    kept = forger.copy(done.id)
    with world.running():
        longer = world.desk.extensions.extend(
            done.id, Duration(lasts=timedelta(hours=5)), caller(ALICE, "k"), reason="x"
        )
        if world.until_answered(longer).stage is Stage.WAITING:
            world.approve(longer)
        assert world.until_final(longer).target.outcome is Outcome.EXTENDED
    before = sent(world)
    forger.put_back(done.id, kept)
    world.clock.ahead += timedelta(hours=2)
    with world.running():
        world.until(lambda: told(world, "was set back to an earlier state"), "the notice")
    assert sent(world) == before


def test_a_real_vote_still_counts(idle_world: World) -> None:
    """What the others rest on."""
    with idle_world.running():
        done = idle_world.masked("cron")
    assert done.target.outcome is Outcome.PROVEN
    assert [vote.tally for vote in done.votes] == [Tally.COUNTED]
