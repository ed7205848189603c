"""Whoever writes the rows of a rollout makes it begin nothing: only what a bot recorded counts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Duration, FollowupKind, Request, Stage, Tally, TargetStatus
from tests.workflow.forger import Forger
from tests.workflow.rollout.rolled import HOSTS, ask_rollout, paused, refuse, rolled_out, statuses, targets, touched
from tests.workflow.slack import ALICE, BOB, CAROL, caller
from tests.workflow.wire import Call, first_time
from tests.workflow.world import POLICY, World, inventory

THREE = ("1", "1", "rest")
NEVER_RECORDED = "that the bot never recorded"


def end_by_hand(forger: Forger, whole: Request, request_id: str) -> None:
    """Write that a target is over and proven."""
    forger("UPDATE requests SET stage = 'done' WHERE id = :it", it=request_id)
    forger(
        "UPDATE targets SET document = json_set(document, '$.outcome', 'proven') WHERE request_id = :it", it=request_id
    )


def when_it_is_looked_at(world: World, host: str, unit: str, attack: Callable[[], None]) -> None:
    """Have somebody attack right before the command that masks this unit, which never arrives."""

    def trouble(call: Call) -> None:
        if (call.host, call.verb, call.unit) == (host, "mask", unit):
            attack()

    world.wire.before.append(trouble)
    refuse(world, host, "mask")
    world.has_lost_an_answer = True  # of the command that never arrived


def waits(world: World, whole: Request) -> Request:
    return world.when(whole, lambda now: NEVER_RECORDED in (now.rollout.waits_for if now.rollout else ""), "its no")


@pytest.mark.parametrize("waves", [THREE, ("rest",)], ids=["between waves", "in the last wave"])
def test_a_target_that_somebody_wrote_to_be_done_neither_begins_a_wave_nor_ends_the_rollout(
    world: World, forger: Forger, waves: tuple[str, ...]
) -> None:
    asked = rolled_out(world, *HOSTS, waves=waves)
    first = targets(world, asked)["web-01"]
    when_it_is_looked_at(world, "web-01", "worker.service", lambda: end_by_hand(forger, asked, first.id))
    world.vote(asked)
    held = waits(world, asked)
    assert held.stage is Stage.RUNNING
    assert statuses(world, asked)["web-01"] is not TargetStatus.DONE
    assert waves == ("rest",) or touched(world) == {"web-01"}
    assert "PROVEN" not in world.card(asked)


def test_the_next_unit_of_a_set_does_not_begin_either(world: World, forger: Forger) -> None:
    asked = rolled_out(world, "web-01", units=("beat",), with_triggers=True)
    assert asked.rollout
    timer = asked.rollout.targets[0]
    when_it_is_looked_at(world, "web-01", "beat.timer", lambda: end_by_hand(forger, asked, timer.request_id))
    world.vote(asked)
    waits(world, asked)
    assert not any(call.unit == "beat.service" for call in world.wire.calls if call.verb)


def test_nobody_is_asked_about_targets_that_somebody_wrote_to_be_refused(idle_world: World, forger: Forger) -> None:
    world = idle_world
    refuse(world, "db-01")
    with world.running():
        asked = ask_rollout(world, *HOSTS)
        world.until(lambda: "db-01" in targets(world, asked), "its request")
        it = targets(world, asked)["db-01"].id
        forger("UPDATE requests SET stage = 'refused' WHERE id = :it", it=it)
        world.until(lambda: [what for what, _ in world.store.forgeries()] == [f"request {it}"], "the notice")
        assert world.store.get(asked.id).stage is Stage.ASKED


def edit_targets(forger: Forger, whole: Request) -> None:
    forger("UPDATE requests SET document = replace(document, 'db-01', 'web-09') WHERE id = :it", it=whole.id)


def edit_digest(forger: Forger, whole: Request) -> None:
    forger(
        "UPDATE targets SET document = replace(document, :old, :new) WHERE request_id = :it",
        it=whole.id, old=whole.target.digest, new="0" * 64,
    )  # fmt: skip


def go_on_by_hand(forger: Forger, whole: Request) -> None:
    forger(
        "UPDATE requests SET document = json_set(document, '$.rollout.paused_at', NULL, '$.rollout.forgiven', 9) "
        "WHERE id = :it",
        it=whole.id,
    )


def add_a_counted_vote(forger: Forger, whole: Request) -> None:
    (row,) = forger("SELECT * FROM votes WHERE request_id = :it", it=whole.id)
    forger.vote(row, voter_user=CAROL.id.user)
    forger("UPDATE votes SET tally = 'counted', document = json_set(document, '$.tally', 'counted')")


EDITS: Mapping[str, Callable[[Forger, Request], None]] = {
    "its targets": edit_targets,
    "its digest": edit_digest,
    "its pause": go_on_by_hand,
    "a vote more": add_a_counted_vote,
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_rollout_that_somebody_edited_begins_nothing(world: World, forger: Forger, edit: str) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)
    refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    EDITS[edit](forger, stopped)
    forger.wake(asked.id)
    world.until(lambda: f"request {asked.id}" in [what for what, _ in world.store.forgeries()], "the notice")
    assert touched(world) == {"web-01"}


def test_a_target_that_somebody_wrote_to_be_approved_does_not_run(world: World, forger: Forger) -> None:
    asked = rolled_out(world, *HOSTS, waves=THREE)
    refuse(world, "web-02")
    world.vote(asked)
    paused(world, asked)
    last = targets(world, asked)["db-01"]
    forger("UPDATE requests SET stage = 'approved' WHERE id = :it", it=last.id)
    forger.wake(last.id)
    world.follow_up(asked, FollowupKind.GO_ON, by=ALICE)
    waits(world, asked)
    assert touched(world) == {"web-01"}


def test_a_rollout_that_was_set_back_behind_its_pause_goes_no_further(idle_world: World, forger: Forger) -> None:
    """Its rows and their seals are the bot's own, from before somebody stopped it."""
    world = idle_world
    with world.running():
        asked = rolled_out(world, *HOSTS, waves=THREE)
        refuse(world, "web-02")
        world.vote(asked)
        paused(world, asked)
    kept = forger.copy(asked.id)
    with world.running():
        assert world.follow_up(asked, FollowupKind.STOP_HERE, by=ALICE).tally is Tally.COUNTED
        world.until_final(asked)
    over = forger.copy(asked.id)
    forger.put_back(asked.id, kept)
    with world.running():
        world.desk.rollouts.go_on(asked.id, caller(ALICE, "again"))
        world.until(lambda: _is_told(world), "the notice")
    assert touched(world) == {"web-01"}
    forger.put_back(asked.id, over)


def _is_told(world: World) -> bool:
    return any("set back" in str(record["data"].get("why")) for record in world.store.chain())


def test_no_unit_is_called_otherwise_so_that_what_stops_with_another_is_left_out(
    idle_world: World, forger: Forger
) -> None:
    """What a rollout changes on the same host is no news there, so it is not part of the other plans."""
    world, looked, is_first = idle_world, list[str](), first_time()
    units = {"worker.service", "tuned.service"}

    def planned() -> dict[str, str]:
        found = forger("SELECT request_id, unit FROM targets JOIN requests ON id = request_id WHERE stage = 'waiting'")
        return {one["unit"]: one["request_id"] for one in found}

    def attack(call: Call) -> None:
        if call.host == "db-01" and is_first():
            world.until(lambda: units <= {*planned()}, "the plans of the other host")
            looked.append(planned()["tuned.service"])
            forger("UPDATE targets SET unit = 'metrics.service' WHERE request_id = :it", it=looked[0])

    world.wire.before.append(attack)
    with world.running():
        asked = ask_rollout(world, "web-01", "db-01", units=("worker", "tuned"))
        world.until(lambda: bool(looked) and _is_noted(world, looked[0]), "the notice")
        assert world.store.get(asked.id).stage is Stage.ASKED
        forger("UPDATE targets SET unit = 'tuned.service' WHERE request_id = :it", it=looked[0])
        world.until_answered(asked)
        assert "metrics.service" in world.card(asked)


def _is_noted(world: World, request_id: str) -> bool:
    return f"request {request_id}" in [what for what, _ in world.store.forgeries()]


@pytest.mark.parametrize("edit", ["rollout = ''", "seal = 'lab:00'"])
def test_a_later_end_needs_as_much_as_each_target_that_somebody_hid(world: World, forger: Forger, edit: str) -> None:
    """Only the look knows the other name of a unit, by which a rule asks for two approvals."""
    (rule,) = POLICY.rules
    strict = replace(rule, name="oldname", units=("oldname.service",), need=2)
    world.in_force.put(ConfigSnapshot(inventory(world.hosts), replace(POLICY, digest="7" * 64, rules=(rule, strict))))
    asked = rolled_out(world, "web-01", "web-02", duration=Duration(lasts=timedelta(hours=2)))
    world.vote(asked, by=BOB)
    done = world.approve(asked, by=CAROL)
    ids = [one.id for one in targets(world, asked).values()]
    kept = [forger.copy(one) for one in ids]
    forger(f"UPDATE requests SET {edit} WHERE rollout = :it", it=asked.id)  # noqa: S608
    longer = world.until_answered(world.desk.extensions.keep(done.id, "still leaks", caller(ALICE, "y")))
    assert (longer.stage, longer.approval) == (Stage.REFUSED, None)
    assert "is not what the bot recorded" in longer.because
    for one, rows in zip(ids, kept, strict=True):
        forger.put_back(one, rows)
    longer = world.until_answered(world.desk.extensions.keep(done.id, "still leaks", caller(ALICE, "z")))
    assert longer.approval and longer.approval.need == 2
