"""A rollout: every target is looked at, people approve the whole, and it is carried out wave by wave."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cards.live_mask import would_start
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.requests import (
    Duration,
    FollowupKind,
    NewKind,
    Outcome,
    Request,
    Stage,
    Tally,
    TargetStatus,
    Verdict,
    VoteCommand,
)
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.rollout.steering import Rollouts
from tests.workflow.rollout.rolled import (
    HOSTS,
    ask_rollout,
    freeze_at_first_mask,
    paused,
    refuse,
    rolled_out,
    selection,
    statuses,
    targets,
    touched,
)
from tests.workflow.slack import ALICE, BOB, DAVE, caller
from tests.workflow.test_kill_switch import SHELL
from tests.workflow.wire import Call, first_time
from tests.workflow.world import POLICY, World


def test_it_masks_each_host_after_one_approval_and_undoes_them_with_one_click(world: World) -> None:
    asked = world.until_answered(ask_rollout(world, "web-01", "web-02", "db-01"))
    assert asked.stage is Stage.WAITING, asked.because
    assert {one.stage for one in targets(world, asked).values()} == {Stage.WAITING}
    done = world.approve(asked)
    assert set(statuses(world, done).values()) == {TargetStatus.DONE}
    assert {one.target.outcome for one in targets(world, done).values()} == {Outcome.PROVEN}
    undone = world.until_final(world.undo(done))
    assert undone.stage is Stage.DONE, undone.because
    assert {one.target.outcome for one in targets(world, undone).values()} == {Outcome.RESTORED}
    assert world.store.get(done.id).undone_by == undone.id


def test_the_card_says_how_each_unit_was_when_its_turn_came_and_not_when_it_was_planned(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02", waves=("1", "rest"))
    world.hosts["web-02"].run("systemctl", "stop", "worker")
    done = world.approve(asked)
    card = world.card(done)
    assert "*1*  running, enabled; stops metrics.service, partof.service → masked and proven: web-01" in card, card
    assert "*1*  inactive, enabled; stops metrics.service, partof.service → masked and proven: web-02" in card, card
    assert would_start(done) == ("worker.service on 1 host",)
    undone = world.until_final(world.undo(done))
    world.hosts["web-02"].run("systemctl", "start", "worker")
    assert "*2*  masked, inactive → as before: web-02, web-01" in world.card(undone), world.card(undone)


def test_a_failure_pauses_it_and_calls_its_owner_and_nothing_beyond_the_wave_is_touched(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=("1", "1", "rest"))
    refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    assert statuses(world, stopped) == {
        "web-01": TargetStatus.DONE,
        "web-02": TargetStatus.FAILED,
        "db-01": TargetStatus.READY,
    }
    assert touched(world) == {"web-01"}
    assert "pauses after 1 failure" in world.note(stopped, "pauses")

    assert world.follow_up(stopped, FollowupKind.STOP_HERE, by=ALICE).tally is Tally.COUNTED
    over = world.until_final(stopped)
    assert statuses(world, over)["db-01"] is TargetStatus.SKIPPED
    assert touched(world) == {"web-01"}
    never = targets(world, over)["db-01"]
    assert world.until_final(never).stage is Stage.CANCELLED


def test_it_goes_on_in_spite_of_a_failure_when_somebody_says_so(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=("1", "1", "rest"))
    refuse(world, "web-02")
    world.vote(asked)
    assert world.follow_up(paused(world, asked), FollowupKind.GO_ON, by=BOB).tally is Tally.COUNTED
    over = world.until_final(asked)
    assert statuses(world, over) == {
        "web-01": TargetStatus.DONE,
        "web-02": TargetStatus.FAILED,
        "db-01": TargetStatus.DONE,
    }


def test_nobody_else_steers_it(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=("1", "1", "rest"))
    refuse(world, "web-02")
    world.vote(asked)
    told = world.follow_up(paused(world, asked), FollowupKind.GO_ON, by=DAVE)
    assert told.tally is Tally.REFUSED
    assert touched(world) == {"web-01"}


def test_what_failed_is_retried_under_the_same_approval(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02")
    trouble = refuse(world, "web-02")
    over = world.approve(asked)  # with nothing left to begin it does not pause
    assert statuses(world, over) == {"web-01": TargetStatus.DONE, "web-02": TargetStatus.FAILED}
    world.wire.before.remove(trouble)
    retried = world.until_final(world.desk.rollouts.retry_failed(over.id, caller(ALICE, "retry")))
    assert statuses(world, retried) == {"web-02": TargetStatus.DONE}
    assert retried.counted_votes[0].voter == BOB.id


def test_what_was_not_begun_because_another_unit_of_its_set_failed_is_retried_with_it(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02", units=("beat",), with_triggers=True)
    trouble = refuse(world, "web-02")
    over = world.approve(asked)
    assert over.rollout
    left = {str(one.unit): one.status for one in over.rollout.targets if one.host == "web-02"}
    assert left == {"beat.timer": TargetStatus.FAILED, "beat.service": TargetStatus.SKIPPED}
    world.wire.before.remove(trouble)
    retried = world.until_final(world.desk.rollouts.retry_failed(over.id, caller(ALICE, "retry")))
    assert retried.rollout
    assert [(str(one.unit), one.status) for one in retried.rollout.targets] == [
        ("beat.timer", TargetStatus.DONE),
        ("beat.service", TargetStatus.DONE),
    ]
    assert retried.counted_votes[0].voter == BOB.id


def test_a_host_that_cannot_be_reached_is_left_out_and_said(world: World) -> None:
    refuse(world, "db-01")
    asked = rolled_out(world, *HOSTS)
    assert asked.rollout and [one.host for one in asked.rollout.left_out] == ["db-01"]
    assert "does not answer" in asked.rollout.left_out[0].note
    done = world.approve(asked)
    assert statuses(world, done)["db-01"] is TargetStatus.LEFT_OUT
    assert touched(world) == {"web-01", "web-02"}


def test_nothing_is_left_when_every_target_is_refused(world: World) -> None:
    refused = rolled_out(world, *HOSTS, units=("ssh",))
    assert refused.stage is Stage.REFUSED
    assert "critical" in refused.because


def test_one_that_was_edited_since_is_asked_again_and_the_others_go_on(world: World) -> None:
    asked = rolled_out(world, *HOSTS)
    world.hosts["web-02"].write("/etc/systemd/system/worker.service.d/later.conf", "[Service]\nNice=5\n")
    world.hosts["web-02"].run("systemctl", "daemon-reload")
    world.vote(asked)
    world.when(asked, lambda now: statuses(world, now)["db-01"] is TargetStatus.DONE, "the others")
    assert statuses(world, asked)["web-02"] is TargetStatus.ASKED_AGAIN
    assert touched(world) == {"web-01", "db-01"}
    again = targets(world, asked)["web-02"]
    world.vote(again)
    assert world.until_final(again).target.outcome is Outcome.PROVEN
    assert set(statuses(world, world.until_final(asked)).values()) == {TargetStatus.DONE}


def test_undo_all_of_a_paused_one_stops_it_and_undoes_what_it_made(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=("1", "1", "rest"))
    trouble = refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    world.wire.before.remove(trouble)
    undone = world.until_final(world.undo(stopped))
    assert statuses(world, undone) == {"web-01": TargetStatus.DONE}
    assert world.until_final(asked).undone_by == undone.id
    assert touched(world) == {"web-01"}


def test_of_two_who_undo_all_in_the_middle_of_a_wave_the_second_hears_of_the_first(world: World) -> None:
    asked, undos = rolled_out(world, *HOSTS, waves=("1", "rest")), list[Request]()

    def press(call: Call) -> None:
        if (call.host, call.verb) == ("web-02", "mask") and not undos:
            undos.extend(world.begin_undo(asked, by=one) for one in (ALICE, BOB))

    world.wire.before.append(press)
    world.vote(asked)
    world.until(lambda: len(undos) == 2, "both")
    first, second = (world.until_final(one) for one in undos)
    assert set(statuses(world, first).values()) == {TargetStatus.DONE}
    assert (second.stage, world.until_final(asked).undone_by) == (Stage.REFUSED, first.id)
    assert second.because.startswith("alice already asked for `unmask web-01,web-02,db-01 worker.service")
    assert {world.hosts[host].show("worker", "LoadState")["LoadState"] for host in HOSTS} == {"loaded"}


def test_one_target_is_undone_alone_and_the_rollout_says_so(world: World) -> None:
    done = world.approve(rolled_out(world, "web-01", "web-02"))
    world.until_final(world.unmask("worker", host="web-02"))
    assert statuses(world, done) == {"web-01": TargetStatus.DONE, "web-02": TargetStatus.UNDONE}
    undone = world.until_final(world.undo(done))
    assert statuses(world, undone) == {"web-01": TargetStatus.DONE}


def test_all_of_it_ends_when_its_time_is_up(world: World) -> None:
    done = world.approve(rolled_out(world, "web-01", "web-02", duration=Duration(lasts=timedelta(hours=2))))
    world.clock.ahead += timedelta(hours=2, minutes=1)
    gone = world.when(done, lambda now: bool(now.undone_by), "its end")
    undone = world.until_final(world.store.get(gone.undone_by))
    assert set(statuses(world, undone).values()) == {TargetStatus.DONE}


def test_a_denied_one_ends_the_requests_of_its_targets(world: World) -> None:
    asked = rolled_out(world, *HOSTS)
    world.vote(asked, Verdict.DENY)
    assert world.until_final(asked).stage is Stage.DENIED
    for one in targets(world, asked).values():
        assert world.until_final(one).stage is Stage.CANCELLED
    assert touched(world) == set()


def test_a_set_is_masked_triggers_first_and_brought_back_triggers_last(world: World) -> None:
    asked = rolled_out(world, "web-01", units=("beat",), with_triggers=True)
    assert asked.rollout and [str(one.unit) for one in asked.rollout.targets] == ["beat.timer", "beat.service"]
    done = world.approve(asked)
    assert {one.status for one in done.rollout.targets} == {TargetStatus.DONE} if done.rollout else False
    stops = [call.unit for call in world.wire.calls if call.verb == "mask"]
    assert stops == ["beat.timer", "beat.service"]
    world.until_final(world.undo(done))
    back = [call.unit for call in world.wire.calls if call.verb == "unmask"]
    assert back == ["beat.service", "beat.timer"]


def test_the_set_replaces_the_mask_that_waits_for_approval_and_only_its_owner_asks_for_it(world: World) -> None:
    one = world.mask("beat")
    assert "[Mask the set]" in world.card(one)
    with pytest.raises(UsageError, match="Only alice, who asked, can ask for the set instead"):
        world.desk.rollouts.mask_the_set(one.id, caller(BOB, "bob"))
    asked = world.until_answered(world.desk.rollouts.mask_the_set(one.id, caller(ALICE, "set")))
    assert asked.stage is Stage.WAITING, asked.because
    assert asked.rollout and [str(one.unit) for one in asked.rollout.planned] == ["beat.timer", "beat.service"]
    assert world.store.get(one.id).stage is Stage.WITHDRAWN
    assert "<@UALICE> withdrew it to ask for it together with what triggers it" in world.card(one)
    assert asked.ask.reason == one.ask.reason
    assert "[Mask the set]" not in world.card(asked)


def test_the_set_is_judged_once_what_it_replaces_is_withdrawn(world: World) -> None:
    one, desk, waits = world.mask("beat"), world.desk, list[bool]()

    def withdraw(request_id: str, **how: Any) -> None:
        (its_set,) = (asked for asked in world.store.find(Query()) if asked.ask.selection)
        waits.append(bool(its_set.due_at and its_set.due_at > world.clock.now()))
        desk.withdraw(request_id, **how)

    rollouts = Rollouts(world.deps, desk.followups, desk.submit, desk.mask_again, withdraw)
    asked = world.until_answered(rollouts.mask_the_set(one.id, caller(ALICE, "set")))
    assert (waits, asked.stage) == ([True], Stage.WAITING), asked.because


def test_a_mask_that_runs_is_not_replaced_by_its_set(world: World) -> None:
    one = world.mask("beat")
    running = world.store.save(world.store.save(one.move(Stage.APPROVED)).move(Stage.RUNNING))
    with pytest.raises(UsageError, match="Too late to ask for the set instead"):
        world.desk.rollouts.mask_the_set(running.id, caller(ALICE, "set"))


def test_the_kill_switch_holds_the_next_target(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=("1", "1", "1"))
    freeze_at_first_mask(world)
    world.vote(asked)
    waits = world.when(asked, lambda now: bool(now.rollout and now.rollout.waits_for), "the kill switch to hold it")
    assert waits.rollout and "stopped all new masks" in waits.rollout.waits_for
    assert touched(world) == {"web-01"}


def test_all_of_it_is_extended_and_kept_at_once(world: World) -> None:
    done = world.approve(rolled_out(world, "web-01", "web-02", duration=Duration(lasts=timedelta(hours=2))))
    ends, extensions = done.aftercare.expires_at, world.desk.extensions
    assert ends
    longer = world.until_final(extensions.extend(done.id, Duration(lasts=timedelta(hours=1)), caller(ALICE, "x")))
    assert longer.target.outcome is Outcome.EXTENDED, longer.because
    later = world.store.get(done.id).aftercare.expires_at
    assert later and later - ends >= timedelta(minutes=59)
    assert world.card(longer).startswith("EXTENDED · worker.service on web-01 and web-02")
    kept = world.until_answered(extensions.keep(done.id, "still leaks", caller(ALICE, "y")))
    assert kept.stage is Stage.WAITING
    world.approve(kept)
    assert world.store.get(done.id).aftercare.expires_at is None
    world.clock.ahead += timedelta(days=1, minutes=1)
    reminded = world.direct(ALICE, "worker.service on 2 hosts has no expiry")
    assert reminded.splitlines()[-1] == "[Undo all] [Set an expiry] [Keep]"
    given = world.until_final(extensions.extend(done.id, Duration(lasts=timedelta(hours=1)), caller(ALICE, "w")))
    assert (given.ask.new_kind, given.target.outcome) == (NewKind.ENDING, Outcome.EXTENDED), given.because
    assert world.store.get(done.id).aftercare.expires_at
    one = targets(world, done)["web-01"]
    with pytest.raises(UsageError, match="ends with its whole rollout"):
        extensions.extend(one.id, Duration(lasts=timedelta(hours=1)), caller(ALICE, "z"))


def test_what_is_asked_of_it_while_all_of_it_is_undone_waits_and_finds_it_gone(world: World) -> None:
    done = world.approve(rolled_out(world, "web-01", "web-02"))
    late, is_first = list[Request](), first_time()

    def ask(call: Call) -> None:
        if call.verb == "unmask" and is_first():
            hour = Duration(lasts=timedelta(hours=1))
            late.append(world.desk.extensions.extend(done.id, hour, caller(ALICE, "late")))
            world.until(lambda: world.store.get(late[0].id).stage is not Stage.ASKED, "an answer")

    world.wire.before.append(ask)
    undo = world.begin_undo(done)
    world.until_final(undo)
    assert world.until_final(late[0]).stage in (Stage.REFUSED, Stage.CANCELLED)
    assert (world.store.get(done.id).undone_by, world.store.get(done.id).aftercare.extensions) == (undo.id, ())


def test_with_order_one_host_follows_the_other_and_the_undo_goes_back(world: World) -> None:
    chosen = selection("db-01", "web-01", "web-02", waves=("rest",), in_order=True)
    asked = world.until_answered(world.ask_mask("worker", host="db-01,web-01,web-02", selection=chosen))
    done = world.approve(asked)
    assert [call.host for call in world.wire.calls if call.verb == "mask"] == ["db-01", "web-01", "web-02"]
    world.until_final(world.undo(done))
    assert [call.host for call in world.wire.calls if call.verb == "unmask"] == ["web-02", "web-01", "db-01"]


@pytest.mark.parametrize(
    "changed_deps", [{"policy": replace(POLICY, break_glass=BreakGlassPolicy(frozenset({"eng"})))}]
)
def test_somebody_goes_ahead_alone_for_all_of_it(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02")
    world.follow_up(asked, FollowupKind.BREAK_GLASS, by=ALICE, text="the site is down", digest=asked.target.digest)
    done = world.until_final(asked)
    assert set(statuses(world, done).values()) == {TargetStatus.DONE}
    assert done.owes_sign_off


def test_one_target_cannot_be_approved_ahead_of_its_wave(world: World) -> None:
    asked = rolled_out(world, *HOSTS)
    one = targets(world, asked)["db-01"]
    by_shell = caller(BOB, "vote", place=SHELL)
    with pytest.raises(UsageError, match="Approve or deny the rollout"):
        world.desk.vote(one.id, VoteCommand(Verdict.APPROVE, one.target.digest), by_shell)
    assert touched(world) == set()


def test_an_undo_that_leaves_something_ends_and_says_so(world: World) -> None:
    done = world.approve(rolled_out(world, "web-01", "web-02"))
    refuse(world, "web-02", "unmask")
    undone = world.until_final(world.undo(done))
    assert statuses(world, undone)["web-01"] is TargetStatus.DONE
    assert world.store.get(done.id).is_live_mask
