"""What a rollout does next: which targets begin, and when it waits, pauses or ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.requests import Outcome, Rollout, RolloutSettings, RolloutTarget, Stage, TargetStatus
from bot.core.rollout.next_wave import ANOTHER_FAILED, STOPPED, Turn, failed_with_its_set, next_turn
from bot.core.rollout.progress import Progress, is_step, with_progress, with_undone
from bot.core.rollout.steering import go_on, pause, stop, waits_for_somebody
from bot.core.systemd.units import UnitName
from tests.core.situations import NOW, waiting

MINUTE = timedelta(minutes=1)
READY, STARTED, DONE, FAILED = TargetStatus.READY, TargetStatus.STARTED, TargetStatus.DONE, TargetStatus.FAILED
UNKNOWN, ASKED_AGAIN, SKIPPED = TargetStatus.UNKNOWN, TargetStatus.ASKED_AGAIN, TargetStatus.SKIPPED


def target(
    host: str, wave: int, status: TargetStatus = READY, unit: str = "cron.service", **given: Any
) -> RolloutTarget:
    return RolloutTarget(host, UnitName(unit), f"r-{host}-{unit}", status, wave, **given)


def rollout(*targets: RolloutTarget, wave: int = 1, settings: RolloutSettings | None = None, **given: Any) -> Rollout:
    return Rollout(settings or RolloutSettings(), targets, wave=wave, **given)


def begun(turn: Turn) -> list[str]:
    return [one.host for one in turn.begin]


def test_the_first_wave_begins_at_once_and_nothing_beyond_it() -> None:
    turn = next_turn(rollout(target("a", 1), target("b", 2), wave=0), NOW)
    assert (begun(turn), turn.rollout.wave, turn.is_over) == (["a"], 1, False)


def test_the_next_wave_begins_when_the_one_before_is_over() -> None:
    waves = rollout(target("a", 1, STARTED), target("b", 2))
    assert begun(next_turn(waves, NOW)) == []
    turn = next_turn(waves.put(target("a", 1, DONE)), NOW)
    assert (begun(turn), turn.rollout.wave) == (["b"], 2)
    assert next_turn(turn.rollout.put(target("b", 2, DONE)), NOW).is_over


def test_what_is_not_known_holds_the_next_wave() -> None:
    turn = next_turn(rollout(target("a", 1, UNKNOWN), target("b", 2)), NOW)
    assert (begun(turn), turn.rollout.wave) == ([], 1)


def test_a_pause_between_waves_is_kept_unless_somebody_goes_on() -> None:
    slow = rollout(target("a", 1, DONE), target("b", 2), settings=RolloutSettings(pause=10 * MINUTE))
    waits = next_turn(slow, NOW)
    assert (begun(waits), waits.at) == ([], NOW + 10 * MINUTE)
    assert begun(next_turn(waits.rollout, NOW + 9 * MINUTE)) == []
    assert begun(next_turn(waits.rollout, NOW + 10 * MINUTE)) == ["b"]
    assert begun(next_turn(go_on(waits.rollout), NOW)) == ["b"]


def test_the_first_check_after_the_change_can_be_waited_for() -> None:
    waves = rollout(target("a", 1, DONE), target("b", 2))
    waits = next_turn(waves, NOW, is_checked=False)
    assert (begun(waits), waits.at) == ([], None)
    assert begun(next_turn(go_on(waits.rollout), NOW, is_checked=False)) == ["b"]


def test_only_so_many_run_at_once() -> None:
    wide = rollout(*(target(host, 1) for host in "abc"), settings=RolloutSettings(in_parallel=2))
    assert begun(next_turn(wide, NOW)) == ["a", "b"]
    assert begun(next_turn(wide.put(target("a", 1, STARTED)), NOW)) == ["b"]


def test_the_units_of_one_host_follow_each_other() -> None:
    socket, service = target("a", 1, unit="a.socket"), target("a", 1, unit="a.service")
    waves = rollout(socket, service)
    assert [str(one.unit) for one in next_turn(waves, NOW).begin] == ["a.socket"]
    after = next_turn(waves.put(replace(socket, status=DONE)), NOW)
    assert [str(one.unit) for one in after.begin] == ["a.service"]
    failed = next_turn(waves.put(replace(socket, status=FAILED)), NOW).rollout
    assert [(one.status, one.note) for one in failed.targets] == [(FAILED, ""), (SKIPPED, ANOTHER_FAILED)]
    assert failed_with_its_set(failed) == failed.targets


@pytest.mark.parametrize(
    ("stop_after", "failed", "pauses"),
    [("1", 1, True), ("2", 1, False), ("2", 2, True), ("50%", 1, False), ("50%", 2, True)],
)
def test_it_pauses_after_so_many_failures(stop_after: str, failed: int, *, pauses: bool) -> None:
    ended = [target(str(number), 1, FAILED if number < failed else DONE) for number in range(3)]
    waves = rollout(*ended, target("later", 2), settings=RolloutSettings(stop_after=stop_after))
    turn = next_turn(waves, NOW)
    assert bool(turn.rollout.paused_at) is pauses
    assert begun(turn) == ([] if pauses else ["later"])
    if pauses:
        plural = "s" * (failed > 1)
        assert turn.rollout.why_paused == f"after {failed} failure{plural}"
        assert begun(next_turn(turn.rollout, NOW)) == []
        assert begun(next_turn(go_on(turn.rollout), NOW)) == ["later"]


def test_a_changed_plan_lets_the_others_go_on_unless_the_rule_is_strict() -> None:
    changed = rollout(target("a", 1, ASKED_AGAIN), target("b", 2))
    turn = next_turn(changed, NOW)
    assert begun(turn) == ["b"]
    assert not next_turn(turn.rollout.put(target("b", 2, DONE)), NOW).is_over
    strict = next_turn(replace(changed, settings=RolloutSettings(strict=True)), NOW)
    assert (begun(strict), strict.rollout.why_paused) == ([], "because a plan has changed")
    assert begun(next_turn(go_on(strict.rollout), NOW)) == ["b"]


def test_a_stopped_one_begins_nothing_and_ends_when_the_rest_has() -> None:
    stopped = stop(rollout(target("a", 1, STARTED), target("b", 2), target("c", 2, ASKED_AGAIN)), "alice", NOW)
    turn = next_turn(stopped, NOW)
    assert (begun(turn), turn.is_over) == ([], False)
    assert [(one.status, one.note) for one in turn.rollout.targets[1:]] == [(SKIPPED, STOPPED)] * 2
    assert next_turn(turn.rollout.put(target("a", 1, DONE)), NOW).is_over


def test_an_undo_brings_a_unit_back_though_another_on_its_host_failed() -> None:
    both = (target("a", 1, FAILED, "x.socket"), target("a", 1, READY, "x.service"))
    undo = rollout(*both, settings=RolloutSettings(stop_after="100%", each_alone=True))
    assert [str(one.unit) for one in next_turn(undo, NOW).begin] == ["x.service"]
    waits = undo.put(target("a", 1, STARTED, "x.socket"))
    assert begun(next_turn(waits, NOW)) == []


def test_a_stopped_one_waits_for_no_host_that_is_lost() -> None:
    lost = stop(rollout(target("a", 1, UNKNOWN), target("b", 1, DONE), target("c", 2)), "alice", NOW)
    turn = next_turn(lost, NOW)
    assert (turn.is_over, turn.rollout.is_unknown) == (True, True)
    assert not rollout(target("b", 1, DONE)).is_unknown


def test_a_glance_and_the_whole_request_say_the_same() -> None:
    asked = replace(waiting(), id="r7").on_target(note="why", unknown_since=NOW, digest="d")
    assert Progress.of(asked) == Progress(
        "r7", "web-01", "cron.service", Stage.WAITING, "d", note="why", is_unknown=True, is_asked_again=True
    )
    done = replace(asked.on_target(note="", outcome=Outcome.PROVEN), stage=Stage.DONE, undone_by="u", because="x")
    assert Progress.of(done).is_undone
    assert (Progress.of(done).note, Progress.of(replace(done, stage=Stage.REFUSED)).note) == ("", "x")


def test_a_paused_one_begins_nothing_until_somebody_goes_on() -> None:
    paused = pause(rollout(target("a", 1, DONE), target("b", 2)), "bob", NOW)
    assert begun(next_turn(paused, NOW + MINUTE)) == []
    assert begun(next_turn(go_on(paused), NOW + MINUTE)) == ["b"]


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([READY, DONE, FAILED, STARTED, UNKNOWN])), max_size=12))
def test_nothing_beyond_the_next_wave_ever_begins(drawn: list[tuple[int, TargetStatus]]) -> None:
    targets = [target(str(number), wave, status) for number, (wave, status) in enumerate(drawn)]
    turn = next_turn(rollout(*targets), NOW)
    assert all(one.wave <= turn.rollout.wave <= 2 for one in turn.begin)
    open_ones = [one for one in targets if one.status.is_open]
    assert not open_ones or turn.rollout.wave == 1


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (Progress("r", "a", "u", Stage.ASKED), TargetStatus.PLANNING),
        (Progress("r", "a", "u", Stage.WAITING), READY),
        (Progress("r", "a", "u", Stage.WAITING, is_asked_again=True, note="why"), ASKED_AGAIN),
        (Progress("r", "a", "u", Stage.APPROVED), STARTED),
        (Progress("r", "a", "u", Stage.RUNNING), STARTED),
        (Progress("r", "a", "u", Stage.RUNNING, is_unknown=True, note="why"), UNKNOWN),
        (Progress("r", "a", "u", Stage.DONE, outcome=Outcome.PROVEN), DONE),
        (Progress("r", "a", "u", Stage.DONE, outcome=Outcome.FAILED, note="why"), FAILED),
        (Progress("r", "a", "u", Stage.DONE, outcome=Outcome.PROVEN, is_undone=True), TargetStatus.UNDONE),
        (Progress("r", "a", "u", Stage.DONE, outcome=Outcome.PROVEN, is_lost=True), TargetStatus.LOST),
        (Progress("r", "a", "u", Stage.CANCELLED, note="why"), FAILED),
    ],
)
def test_a_target_stands_as_its_request_does(found: Progress, status: TargetStatus) -> None:
    one = replace(target("a", 1), request_id="r")
    (now,) = with_progress(rollout(one), [found]).targets
    assert (now.status, now.note, now.outcome) == (status, found.note, found.outcome)


def test_before_it_is_planned_a_refused_target_is_left_out_and_stays_so() -> None:
    one = replace(target("a", 0), request_id="r")
    refused = [Progress("r", "a", "u", Stage.REFUSED, note="critical")]
    (out,) = with_progress(rollout(one), refused).targets
    assert (out.status, out.note) == (TargetStatus.LEFT_OUT, "critical")
    assert with_progress(rollout(replace(out, wave=1)), refused).targets[0].status is TargetStatus.LEFT_OUT
    assert with_progress(rollout(one), []).targets == (one,)


def test_a_rollout_knows_what_its_undo_has_undone() -> None:
    made = rollout(*(target(host, 1, DONE) for host in "abc"))
    back = replace(target("a", 1, DONE), outcome=Outcome.RESTORED)
    gone = replace(target("b", 1, FAILED), outcome=Outcome.NOT_OURS)
    now = with_undone(made, rollout(back, gone, replace(target("c", 1, FAILED), outcome=Outcome.FAILED)))
    assert [one.status for one in now.targets] == [TargetStatus.UNDONE, TargetStatus.UNDONE, DONE]


@pytest.mark.parametrize(("size", "told"), [(3, 3), (20, 20), (500, 21)])
def test_an_undo_is_told_of_in_steps_however_large_it_is(size: int, told: int) -> None:
    before, steps = rollout(*(target(f"{number}", 1) for number in range(size))), 0
    for one in before.targets:
        now = before.put(replace(one, status=DONE))
        steps += is_step(before, now)
        before = now
    assert steps == told
    assert not is_step(before, before)


def test_what_an_undo_has_come_to_is_told_of_once_it_only_waits_for_what_is_not_known() -> None:
    lost = [target(f"{number}", 1, UNKNOWN) for number in range(50)]
    waits = rollout(*lost, target("last", 1, DONE))
    assert is_step(waits, waits.put(replace(lost[0], status=DONE)))
    assert not is_step(rollout(*lost, target("a", 1)), rollout(*lost[1:], target("a", 1)))


def test_going_on_opens_one_wave_and_no_later_one() -> None:
    slow = rollout(target("a", 1, DONE), target("b", 2), target("c", 3), settings=RolloutSettings(pause=10 * MINUTE))
    assert not waits_for_somebody(slow)
    between = next_turn(slow, NOW).rollout
    assert waits_for_somebody(between)
    assert waits_for_somebody(pause(slow, "bob", NOW))
    assert not waits_for_somebody(go_on(between))
    second = next_turn(go_on(between), NOW).rollout
    again = go_on(second).put(target("b", 2, DONE))  # nobody waits for that, and it opens nothing
    turn = next_turn(again, NOW)
    assert (begun(turn), turn.at) == ([], NOW + 10 * MINUTE)
