"""The way back: our own mask with everything as it was before, somebody else's by its links alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.changes import Change, Outcome, Sent, Target, Verb
from bot.core.habits import Habits, Turn
from bot.core.steps import Done, Work, next_step
from bot.core.steps.kinds import LookFully, Start, Stop, Wait
from bot.core.units import ActiveState, FileKind, Layer, LayerFile, LoadState, UnitName
from tests.core.one_unit import DOWN, NOON, PATHS, UP, OneUnit, masking, undoing, unmasking
from tests.core.situations import masked, snapshot

WANTED = "/etc/systemd/system/multi-user.target.wants/worker.service"


def test_what_ran_runs_again() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload", "start worker.service"]
    assert unit.active is UP
    assert not unit.mask_loaded


def test_what_did_not_run_stays_down() -> None:
    unit = OneUnit(active=DOWN)
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload"]


@pytest.mark.parametrize("is_now", [UP, ActiveState.ACTIVATING])
@pytest.mark.parametrize(
    ("timer", "ends"), [(UP, Outcome.RESTORED), (ActiveState.FAILED, Outcome.RESTORED_PARTLY)], ids=["timer", "nobody"]
)
def test_what_runs_again_by_its_timer_is_as_it_was(timer: ActiveState, ends: Outcome, is_now: ActiveState) -> None:
    unit = OneUnit(active=DOWN, triggers={"worker.timer": timer})
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    while undo.steps[-1:] != ["reload"]:
        undo.step()
    unit.active = is_now
    assert undo.run().outcome is ends


def test_what_stopped_with_it_is_started_after_it() -> None:
    unit = OneUnit(others={"metrics.service": UP, "idle.service": DOWN})
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps[-2:] == ["start worker.service", "start metrics.service"]
    assert unit.others == {"metrics.service": UP, "idle.service": DOWN}


def test_what_failed_meanwhile_is_reset_before_it_is_started() -> None:
    unit = OneUnit()
    mask = masking(unit, keep_running=True)
    mask.run()
    unit.active = ActiveState.FAILED
    undo = undoing(mask)
    assert undo.run().outcome is Outcome.RESTORED
    assert undo.steps[-2:] == ["reset-failed worker.service", "start worker.service"]


def test_a_slow_start_is_waited_for() -> None:
    unit = OneUnit(start_takes=3)
    mask = masking(unit)
    mask.run()
    assert undoing(mask).run() == Done(Outcome.RESTORED)
    assert (unit.now - NOON).total_seconds() >= 3


@pytest.mark.parametrize("takes", [140, 9000])
def test_a_start_ends_when_systemd_says_so_however_long_it_takes(takes: int) -> None:
    unit = OneUnit(start_takes=takes)
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    assert undo.run(most=10_000) == Done(Outcome.RESTORED)
    assert undo.steps.count("start worker.service") == 1
    assert (unit.now - NOON).total_seconds() >= takes


def test_a_slow_start_keeps_nobody_from_the_host() -> None:
    unit = OneUnit(start_takes=140)
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    waits = [step for step, _ in (undo.step() for _ in range(60)) if isinstance(step, Wait)]
    assert waits[-1].is_slow
    assert not waits[0].is_slow


def test_a_start_that_fails_is_told_as_what_it_is() -> None:
    unit = OneUnit(start_takes=3, fails_to_start=True)
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, "Active was active, is failed")
    assert undo.steps[-1] == "start worker.service"


def test_what_crashes_in_a_loop_since_is_not_waited_for_for_ever() -> None:
    unit = OneUnit(crashes_on_start=True)
    mask = masking(unit)
    mask.run()
    done = undoing(mask).run()
    assert done == Done(Outcome.RESTORED_PARTLY, "Active was active, is activating")
    assert (unit.now - NOON).total_seconds() >= 10


def test_what_stopped_with_it_and_crashes_in_a_loop_since_is_told() -> None:
    unit = OneUnit(others={"metrics.service": UP})
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    while undo.steps[-1:] != ["start metrics.service"]:
        undo.step()
    before, around = mask.target.before, unit.look(full=True).around
    assert before is not None
    assert around is not None
    crashing = replace(around.would_stop[0], active=ActiveState.ACTIVATING, sub="auto-restart")
    now = replace(unit.look(), around=replace(around, would_stop=(crashing,)))
    later = unit.now + timedelta(seconds=30)
    step = next_step(Work(undo.change, undo.target, undo.undoes), now, later)
    assert step == Done(Outcome.RESTORED_PARTLY, "metrics.service was active, is activating")


def test_what_is_queued_to_start_beside_it_is_waited_for() -> None:
    unit = OneUnit(others={"metrics.service": UP})
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    while undo.steps[-1:] != ["start metrics.service"]:
        undo.step()
    unit.others["metrics.service"], unit.jobs = DOWN, {"metrics.service"}
    assert isinstance(undo.step()[0], Wait)
    unit.others["metrics.service"], unit.jobs = UP, set()
    assert undo.run() == Done(Outcome.RESTORED)


@pytest.mark.parametrize("queued", [0, 20])
def test_what_is_still_on_its_way_down_is_restored_once_it_is_down(queued: int) -> None:
    unit = OneUnit()
    mask = masking(unit, keep_running=True)
    mask.run()
    unit.stop_takes, unit.queued_for = 60, queued
    if queued:
        unit.stop_asked = unit.now
    else:
        unit.active, unit.stopping_since = ActiveState.DEACTIVATING, unit.now
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload", "start worker.service"]
    assert unit.active is UP
    assert (unit.now - NOON).total_seconds() >= 60


def test_a_way_back_that_finds_the_unit_stopping_waits_from_where_it_began() -> None:
    unit = OneUnit(active=ActiveState.DEACTIVATING, stop_takes=60, stopping_since=NOON)
    change = Change(Verb.UNMASK, "web-01", UnitName("worker.service"))
    mask = Target("web-01", change.unit, Layer.PERSISTENT, before=OneUnit().look(full=True))
    work = Work(change, Target("web-01", change.unit), mask, begun=NOON)
    for seconds, is_slow in ((5, False), (30, True)):
        step = next_step(work, unit.look(full=True), NOON + timedelta(seconds=seconds))
        assert isinstance(step, Wait)
        assert step.is_slow is is_slow


class TestCalledOff:
    """A mask that is withdrawn while its unit is slow to stop."""

    def test_it_runs_again_once_it_is_down(self) -> None:
        unit = OneUnit(stop_takes=60, others={"metrics.service": UP})
        walk = masking(unit)
        while unit.now - NOON < timedelta(seconds=20):
            walk.step()
        walk.target = replace(walk.target, called_off=unit.now)
        assert walk.run() == Done(Outcome.CALLED_OFF)
        assert walk.steps == ["probe", "unprobe", "stop", "start worker.service", "start metrics.service"]
        assert unit.own_stop_commands_ran
        assert unit.active is UP
        assert not unit.files

    def test_what_does_not_run_again_is_told(self) -> None:
        unit = OneUnit(stop_takes=60, fails_to_start=True)
        walk = masking(unit)
        while unit.now - NOON < timedelta(seconds=20):
            walk.step()
        walk.target = replace(walk.target, called_off=unit.now)
        assert walk.run() == Done(Outcome.CALLED_OFF_PARTLY, "Active was active, is failed")

    @pytest.mark.parametrize("last", ["link", "reload"])
    def test_a_mask_that_was_made_meanwhile_is_taken_away_again(self, last: str) -> None:
        unit = OneUnit()
        walk = masking(unit)
        while walk.steps[-1:] != [last]:
            walk.step()
        walk.target = replace(walk.target, called_off=unit.now)
        assert walk.run() == Done(Outcome.CALLED_OFF)
        assert unit.active is UP
        assert not unit.mask_loaded
        assert not unit.files


def test_what_crashed_in_a_loop_before_is_not_waited_for() -> None:
    unit = OneUnit(active=ActiveState.ACTIVATING)
    mask = masking(unit)
    mask.run()
    unit.active = ActiveState.ACTIVATING
    undo = undoing(mask)
    undo.run()
    assert unit.now == NOON


def test_a_start_that_does_not_help_is_told_with_what_is_not_as_it_was() -> None:
    unit = OneUnit(others={"metrics.service": UP})
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    while undo.steps[-1:] != ["start metrics.service"]:
        undo.step()
    unit.active, unit.others = DOWN, {}
    done = undo.run()
    assert done == Done(Outcome.RESTORED_PARTLY, "Active was active, is inactive; metrics.service was active, is gone")


@pytest.mark.parametrize("folder", ["multi-user.target.wants", "multi-user.target.requires", "primary.service.wants"])
def test_an_enablement_link_to_where_the_mask_was_stays(folder: str) -> None:
    unit = OneUnit(links={(f"/etc/systemd/system/{folder}/worker.service", PATHS[Layer.PERSISTENT])})
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload", "start worker.service"]


def test_an_enablement_link_that_somebody_removed_is_told() -> None:
    unit = OneUnit(links={("/etc/systemd/system/multi-user.target.requires/worker.service", "/lib/worker.service")})
    mask = masking(unit)
    mask.run()
    unit.links.clear()
    done = undoing(mask).run()
    assert done.outcome is Outcome.RESTORED_PARTLY
    assert "multi-user.target.requires/worker.service is gone" in done.note


def test_a_unit_with_a_name_that_we_send_to_nobody_is_told_and_not_started() -> None:
    unit = OneUnit(others={"\\x2esnapshots.mount": UP, "metrics.service": UP})
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, "\\x2esnapshots.mount was active, is inactive")
    assert undo.steps[-2:] == ["start worker.service", "start metrics.service"]


def test_a_mask_that_somebody_made_anew_is_not_ours_to_remove() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    unit.put_mask(Layer.PERSISTENT)
    undo = undoing(mask)
    assert undo.run().outcome is Outcome.NOT_OURS
    assert undo.steps == []


def test_a_mask_that_somebody_took_away_is_not_followed_by_a_start() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    unit.files.clear()
    unit.mask_loaded = False
    undo = undoing(mask)
    assert undo.run().outcome is Outcome.NOT_OURS
    assert unit.active is DOWN


def test_a_link_that_we_never_saw_may_be_anybodys() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    mask.target = replace(mask.target, made=None)
    assert undoing(mask).run().outcome is Outcome.NOT_OURS


def test_a_link_that_does_not_go_is_told_in_the_hosts_words() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    target = Target("web-01", mask.change.unit, sent=(Sent("unlink persistent", (), NOON, 1, "Read-only"),) * 3)
    work = Work(replace(mask.change, verb=Verb.UNMASK), target, replace(mask.target, outcome=Outcome.PROVEN))
    assert next_step(work, unit.look(full=True), NOON) == Done(Outcome.FAILED, "Read-only")


def test_what_was_stopped_but_not_masked_is_started_again() -> None:
    unit = OneUnit(reload_fails=True)
    mask = masking(unit)
    assert mask.run().outcome is Outcome.NOT_PROTECTED
    unit.files.clear()  # somebody took the link away
    assert undoing(mask, Outcome.NOT_PROTECTED).run() == Done(Outcome.RESTORED)
    assert unit.active is UP


def test_a_crash_between_unlink_and_start_is_resumed() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    undo.step()
    undo.target = replace(undo.target, sent=tuple(replace(sent, exit_code=None) for sent in undo.target.sent))
    assert undo.run() == Done(Outcome.RESTORED)


BACK = (
    "unlink persistent",
    "reload",
    "reset-failed worker.service",
    "start worker.service",
    "start metrics.service",
)


@pytest.mark.parametrize("was_sent", [False, True])
@pytest.mark.parametrize("last", BACK)
def test_a_crash_at_any_step_leaves_nothing_undone_and_no_start_done_twice(last: str, was_sent: bool) -> None:  # noqa: FBT001
    unit = OneUnit(links={(WANTED, PATHS[Layer.PERSISTENT])}, others={"metrics.service": UP})
    mask = masking(unit)
    mask.run()
    unit.active = ActiveState.FAILED
    undo = undoing(mask)
    undo.dies_at(last, was_sent=was_sent)

    assert undo.run() == Done(Outcome.RESTORED)
    assert set(undo.steps) == set(BACK)
    assert undo.steps.count(last) == (1 if was_sent and "reload" not in last else 2)
    assert {WANTED} == {path for path, _ in unit.links}


def test_a_start_of_which_no_answer_ever_comes_is_not_tried_for_ever() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    for _ in range(3):
        undo.dies_at("start worker.service", was_sent=False)
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, "Active was active, is inactive")
    assert undo.steps.count("start worker.service") == 3


def test_a_foreign_mask_goes_by_its_links_and_nothing_is_started() -> None:
    unit = OneUnit(active=DOWN, mask_loaded=True)
    unit.put_mask(Layer.PERSISTENT)
    unit.put_mask(Layer.RUNTIME)
    walk = unmasking(unit)
    assert walk.run() == Done(Outcome.UNMASKED)
    assert walk.steps == ["unlink persistent", "unlink runtime", "reload"]
    assert unit.active is DOWN


def test_a_foreign_mask_made_after_people_agreed_stays() -> None:
    unit = OneUnit(active=DOWN, mask_loaded=True)
    unit.put_mask(Layer.PERSISTENT)
    walk = unmasking(unit)
    unit.put_mask(Layer.PERSISTENT)
    assert walk.run() == Done(Outcome.FAILED, "The mask was made anew since people agreed, so it was left alone.")
    assert walk.steps == []


def test_a_foreign_mask_of_which_a_part_is_left_is_not_called_unchanged() -> None:
    unit = OneUnit(active=DOWN, mask_loaded=True)
    unit.put_mask(Layer.PERSISTENT)
    unit.put_mask(Layer.RUNTIME)
    walk = unmasking(unit)
    walk.step()
    walk.target = replace(
        walk.target, sent=(*walk.target.sent, *(Sent("unlink runtime", (), NOON, 1, "Read-only"),) * 3)
    )
    assert walk.run() == Done(Outcome.NOT_UNMASKED, "Read-only")


def test_a_mask_that_comes_from_elsewhere_as_well_is_not_called_unchanged() -> None:
    unit = OneUnit(active=DOWN, mask_loaded=True)
    unit.put_mask(Layer.PERSISTENT)
    walk = unmasking(unit)
    while "reload" not in walk.steps:
        walk.step()
    unit.mask_loaded = True
    assert walk.run() == Done(Outcome.NOT_UNMASKED, "Its links are removed, but systemd still calls it masked.")


def test_an_empty_file_is_never_removed() -> None:
    unit = OneUnit(active=DOWN, mask_loaded=True)
    unit.files[Layer.PERSISTENT] = LayerFile(Layer.PERSISTENT, PATHS[Layer.PERSISTENT], FileKind.EMPTY)
    walk = unmasking(unit)
    assert walk.run().outcome is Outcome.FAILED
    assert walk.steps == []


def test_a_foreign_mask_that_does_not_go_is_told_in_the_hosts_words() -> None:
    unit = OneUnit(active=DOWN, mask_loaded=True)
    unit.put_mask(Layer.PERSISTENT)
    walk = unmasking(unit)
    walk.target = replace(walk.target, sent=(Sent("unlink persistent", (), NOON, 1, "Read-only"),) * 3)
    assert walk.run() == Done(Outcome.FAILED, "Read-only")


@pytest.mark.parametrize("undo", [True, False])
def test_a_way_back_without_its_before_is_a_mistake_of_ours(undo: bool) -> None:  # noqa: FBT001
    change = Change(Verb.UNMASK, "web-01", UnitName("worker.service"))
    target = Target("web-01", change.unit)
    with pytest.raises(ValueError, match="before"):
        next_step(Work(change, target, target if undo else None), OneUnit().look(), NOON)


def test_a_unit_on_its_way_up_is_not_started_twice() -> None:
    unit = OneUnit(start_takes=1)
    mask = masking(unit)
    mask.run()
    undo = undoing(mask)
    while undo.steps[-1:] != ["start worker.service"]:
        undo.step()
    assert isinstance(undo._next(unit.look(full=True)), Wait)


def test_settings_that_are_not_what_they_were_are_told() -> None:
    unit = OneUnit()
    mask = masking(unit)
    mask.run()
    assert mask.target.before is not None
    other = replace(mask.target.before, load=LoadState.BAD_SETTING, file_state="static")
    mask.target = replace(mask.target, before=other)
    done = undoing(mask).run()
    assert done.outcome is Outcome.RESTORED_PARTLY
    assert done.note.startswith("Load was bad-setting, is loaded; Boot was static, is ")


def test_what_stopped_with_it_is_brought_back_though_systemd_has_forgotten_it() -> None:
    unit = OneUnit(others={"bound.service": UP, "part@1.service": UP})
    mask = masking(unit)
    mask.run()
    unit.forgets = True
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps[-3:] == ["start worker.service", "start bound.service", "start part@1.service"]


def _socket() -> Work:
    """The undo of a mask of a socket, once the link is gone."""
    before = snapshot("echo.socket", sub="listening")
    made = masked(Layer.PERSISTENT).layer(Layer.PERSISTENT)
    mask = Target("web-01", before.id, Layer.PERSISTENT, before=before, made=made, outcome=Outcome.PROVEN)
    sent = (Sent("unlink persistent", (), NOON, 0), Sent("reload", (), NOON, 0))
    change = Change(Verb.UNMASK, "web-01", before.id)
    return Work(change, Target("web-01", before.id, sent=sent), mask)


def test_a_socket_that_lost_its_listener_is_stopped_and_started() -> None:
    work, deaf = _socket(), snapshot("echo.socket", sub="running")
    assert next_step(work, deaf, NOON) == Stop()
    stopped = replace(work, target=replace(work.target, sent=(*work.target.sent, Sent("stop", (), NOON, 0))))
    assert next_step(stopped, replace(deaf, active=DOWN), NOON) == Start("echo.socket")
    assert next_step(work, snapshot("echo.socket", sub="listening"), NOON) == Done(Outcome.RESTORED)


def _until_reboot(boot: str, **changed: Any) -> Work:
    unit = UnitName("cron.service")
    seen = masked(Layer.RUNTIME, boot_id=boot)
    record = {"before": snapshot(), "after": seen, "made": seen.layer(Layer.RUNTIME), "outcome": Outcome.PROVEN}
    mask = Target("web-01", unit, Layer.RUNTIME, **record | changed)  # type: ignore[arg-type]
    return Work(Change(Verb.UNMASK, "web-01", unit), Target("web-01", unit), mask)


def test_a_mask_until_the_next_reboot_is_over_after_it() -> None:
    now = snapshot(boot_id="another")
    assert next_step(_until_reboot("b00t"), replace(now, around=None), NOON) == LookFully()
    over = Done(Outcome.UNMASKED, "It was a mask until the next reboot, and that has come.")
    assert next_step(_until_reboot("b00t"), now, NOON) == over
    assert next_step(_until_reboot("another"), now, NOON).outcome is Outcome.NOT_OURS  # type: ignore[union-attr]
    assert next_step(_until_reboot("b00t", after=None), now, NOON).outcome is Outcome.NOT_OURS  # type: ignore[union-attr]


def test_a_timer_whose_turn_is_counted_anew_is_as_before_and_said() -> None:
    timer = snapshot("beat.timer", habits=Habits(turn=Turn.MONOTONIC))
    work = _socket()
    undoes = replace(work.undoes, before=timer) if work.undoes else None
    assert next_step(replace(work, undoes=undoes), timer, NOON) == Done(
        Outcome.RESTORED, "Its next turn is counted anew, from this start."
    )


def test_a_socket_that_was_down_before_is_left_as_it_is() -> None:
    work = _socket()
    assert work.undoes
    assert work.undoes.before
    down = replace(work.undoes, before=replace(work.undoes.before, active=DOWN, sub="dead"))
    assert next_step(replace(work, undoes=down), snapshot("echo.socket", active=DOWN, sub="dead"), NOON) == Done(
        Outcome.RESTORED
    )
