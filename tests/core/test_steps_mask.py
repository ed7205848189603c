"""From an ordinary unit to a masked one, in every weather."""

from dataclasses import replace

import pytest

from bot.core.changes import Change, Outcome, Sent, Target, Verb
from bot.core.steps import Done, Work, next_step
from bot.core.steps.kinds import Probe, Stop, TryStart, Wait
from bot.core.units import ActiveState, Layer, UnitName
from tests.core.one_unit import DOWN, NOON, UP, OneUnit, masking


def test_the_unit_is_stopped_with_its_own_settings_before_it_is_masked() -> None:
    unit = OneUnit()
    walk = masking(unit)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps == ["probe", "unprobe", "stop", "link", "reload", "try-start"]
    assert unit.own_stop_commands_ran
    assert not walk.target.settings_lost


def test_what_is_down_already_is_not_stopped() -> None:
    walk = masking(OneUnit(active=DOWN))
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps == ["link", "reload", "try-start"]


def test_a_unit_that_may_keep_running_is_never_stopped() -> None:
    unit = OneUnit()
    walk = masking(unit, keep_running=True)
    assert walk.run().outcome is Outcome.PROVEN
    assert "stop" not in walk.steps
    assert unit.active is UP


def test_the_link_that_cannot_be_made_stops_nothing() -> None:
    unit = OneUnit(probe_fails="Failed to mask unit: Read-only file system")
    walk = masking(unit)
    assert walk.run() == Done(Outcome.FAILED, "Failed to mask unit: Read-only file system")
    assert walk.steps == ["probe", "unprobe"] * 2
    assert unit.active is UP


def test_what_a_killed_bot_has_left_of_a_probe_stops_no_later_one() -> None:
    unit = OneUnit(probe_is_there=True)
    walk = masking(unit)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps[:5] == ["probe", "unprobe", "probe", "unprobe", "stop"]
    assert not unit.probe_is_there


@pytest.mark.parametrize(("takes", "fails"), [(0.0, "No space left on device"), (4.0, "File exists")])
def test_a_link_that_could_be_made_before_the_stop_and_not_after_it_leaves_it_unprotected(
    takes: float, fails: str
) -> None:
    unit = OneUnit(stop_takes=takes, link_fails=fails)
    walk = masking(unit)
    assert walk.run() == Done(Outcome.NOT_PROTECTED, fails)
    assert unit.own_stop_commands_ran


def test_a_link_that_cannot_be_made_of_a_unit_that_is_down_has_changed_nothing() -> None:
    walk = masking(OneUnit(active=DOWN, link_fails="Read-only file system"))
    assert walk.run() == Done(Outcome.FAILED, "Read-only file system")


def test_a_slow_stop_is_waited_for_and_not_repeated() -> None:
    walk = masking(OneUnit(stop_takes=12, stop_limit=5))
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps.count("stop") == 1


@pytest.mark.parametrize("takes", [27, 700, 90_000])
def test_a_stop_ends_when_systemd_says_so_and_not_when_its_limit_is_over(takes: int) -> None:
    unit = OneUnit(stop_takes=takes, stop_limit=8)
    walk = masking(unit)
    assert walk.run(most=100_000) == Done(Outcome.PROVEN)
    assert walk.steps == ["probe", "unprobe", "stop", "link", "reload", "try-start"]
    assert unit.own_stop_commands_ran
    assert (unit.now - NOON).total_seconds() >= takes


def test_what_is_slow_says_so_and_keeps_nobody_from_the_host() -> None:
    unit = OneUnit(stop_takes=60)
    walk = masking(unit)
    waits = [step for step, _ in (walk.step() for _ in range(40)) if isinstance(step, Wait)]
    assert [wait.is_slow for wait in waits] == sorted(wait.is_slow for wait in waits)
    assert waits[-1].is_slow
    assert not waits[0].is_slow


@pytest.mark.parametrize("takes", [0, 7, 700])
def test_reloads_of_somebody_else_take_nothing_from_a_stop(takes: int) -> None:
    unit = OneUnit(stop_takes=takes, stop_limit=8, reloaded_by_others=True)
    walk = masking(unit)
    assert walk.run() == Done(Outcome.PROVEN)
    assert unit.own_stop_commands_ran
    assert not walk.target.settings_lost


def test_a_stop_that_waits_for_others_is_waited_for() -> None:
    unit = OneUnit(queued_for=40, stop_takes=5)
    walk = masking(unit)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps.count("stop") == 1
    assert unit.own_stop_commands_ran


BUSY = [ActiveState.MAINTENANCE, ActiveState.RELOADING, ActiveState.REFRESHING]


@pytest.mark.parametrize("busy", BUSY)
def test_what_reloads_or_is_cleaned_up_is_stopped_once_that_is_over(busy: ActiveState) -> None:
    unit = OneUnit(active=busy, stop_takes=3)
    walk = masking(unit)
    assert isinstance(walk.step()[0], Wait)
    assert walk.steps == []
    unit.active = UP
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps.count("stop") == 1


def test_what_reloads_after_it_was_started_again_is_waited_for_too() -> None:
    unit = OneUnit(comes_back=1)
    walk = masking(unit)
    while "stop" not in walk.steps:
        walk.step()
    unit.look()
    unit.active = ActiveState.RELOADING
    assert isinstance(walk.step()[0], Wait)
    unit.active = UP
    assert walk.run() == Done(Outcome.PROVEN)


def test_a_start_that_hangs_is_stopped() -> None:
    walk = masking(OneUnit(active=ActiveState.ACTIVATING, stop_takes=3))
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps.count("stop") == 1


@pytest.mark.parametrize("reloaded", [True, False])
@pytest.mark.parametrize("takes", [0, 12])
def test_what_starts_between_link_and_reload_gets_its_settings_back_before_it_is_stopped_again(
    takes: int, *, reloaded: bool
) -> None:
    unit = OneUnit(stop_takes=takes)
    walk = masking(unit)
    while walk.steps[-1:] != ["link"]:
        walk.step()
    unit.active, unit.invocation, unit.mask_loaded = UP, 2, reloaded
    unit.own_stop_commands_ran = False
    assert walk.run() == Done(Outcome.PROVEN)
    back = ["unlink persistent", *(["reload"] if reloaded else []), "stop", "link", "reload", "try-start"]
    assert walk.steps[4:] == back
    assert unit.own_stop_commands_ran
    assert not walk.target.settings_lost
    assert walk.target.made == unit.files[Layer.PERSISTENT]


def test_what_starts_after_every_link_is_masked_in_the_end_and_said_to_run() -> None:
    unit = OneUnit()
    walk = masking(unit)
    while True:
        step, full = walk.step()
        if walk.steps[-1:] == ["link"] and unit.active.is_down:
            unit.active, unit.invocation = UP, unit.invocation + 1
        if isinstance(step, Done) and full:
            break
    assert step.outcome is Outcome.MASKED_RESTARTED
    assert walk.steps.count("unlink persistent") == 3
    assert unit.mask_loaded


def test_a_mask_that_somebody_makes_during_the_stop_is_proven_and_is_not_ours() -> None:
    unit = OneUnit(stop_takes=20)
    walk = masking(unit)
    while "stop" not in walk.steps:
        walk.step()
    unit.put_mask(Layer.PERSISTENT)
    done = walk.run()
    assert done == Done(Outcome.PROVEN, "Somebody else made this mask while the unit was being stopped.")
    assert "link" not in walk.steps
    assert walk.target.made is None


def test_a_mask_in_another_layer_during_the_stop_does_not_keep_ours_away() -> None:
    unit = OneUnit(stop_takes=20)
    walk = masking(unit)
    while "stop" not in walk.steps:
        walk.step()
    unit.put_mask(Layer.RUNTIME)
    unit.mask_loaded = True
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.target.made == unit.files[Layer.PERSISTENT]
    assert walk.target.settings_lost


def test_what_comes_back_is_stopped_again_three_times() -> None:
    walk = masking(OneUnit(comes_back=3))
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps.count("stop") == 4


def test_what_always_comes_back_is_masked_and_said_to_run() -> None:
    walk = masking(OneUnit(comes_back=99))
    done = walk.run()
    assert done.outcome is Outcome.MASKED_RESTARTED
    assert walk.steps.count("stop") == 4
    assert "try-start" not in walk.steps


def test_a_refused_stop_has_changed_nothing() -> None:
    unit = OneUnit(refuses_stop=True)
    walk = masking(unit)
    done = walk.run()
    assert done.outcome is Outcome.FAILED
    assert "Operation refused" in done.note
    assert walk.steps == ["probe", "unprobe", "stop"]
    assert not unit.files


def test_a_later_stop_that_is_refused_leaves_it_masked_and_running() -> None:
    unit = OneUnit(comes_back=1)
    walk = masking(unit)
    while walk.steps.count("stop") < 1 or unit.active is not UP:
        walk.step()
        unit.look()
    unit.refuses_stop = True
    assert walk.run().outcome is Outcome.MASKED_RESTARTED
    assert walk.steps.count("stop") == 2


def test_what_never_goes_down_is_masked_and_said_to_run() -> None:
    unit = OneUnit()
    walk = masking(unit)
    while True:
        step, full = walk.step()
        unit.active, unit.stopping_since = UP, None  # each stop is cancelled by a start of somebody
        if isinstance(step, Done) and full:
            break
    assert step.outcome is Outcome.MASKED_RUNNING
    assert walk.steps.count("stop") == 4


def test_stopped_but_not_masked_is_said_so() -> None:
    walk = masking(OneUnit(reload_fails=True))
    done = walk.run()
    assert done.outcome is Outcome.NOT_PROTECTED
    assert "Reload daemon failed" in done.note
    assert walk.steps.count("reload") == 3


def test_a_mask_that_is_not_loaded_under_a_running_unit_is_said_so() -> None:
    walk = masking(OneUnit(reload_fails=True), keep_running=True)
    assert walk.run().outcome is Outcome.NOT_LOADED


@pytest.mark.parametrize("keep_running", [False, True])
def test_a_mask_made_by_somebody_else_meanwhile_is_no_change_of_ours(keep_running: bool) -> None:  # noqa: FBT001
    unit = OneUnit(active=DOWN)
    walk = masking(unit, keep_running=keep_running)
    unit.put_mask(Layer.PERSISTENT)
    unit.mask_loaded = True
    assert walk.run().outcome is Outcome.NO_CHANGE
    assert walk.steps == []
    assert walk.target.made is None


def test_a_mask_until_the_next_reboot_that_was_there_before_is_made_a_lasting_one() -> None:
    unit = OneUnit(active=DOWN)
    unit.put_mask(Layer.RUNTIME)
    unit.mask_loaded = True
    walk = masking(unit)
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps[0] == "link"
    assert unit.files[Layer.PERSISTENT] == walk.target.made


def test_a_link_that_an_earlier_try_of_ours_left_is_loaded_and_proven() -> None:
    first = masking(OneUnit(reload_fails=True))
    assert first.run().outcome is Outcome.NOT_PROTECTED
    first.unit.reload_fails = False
    again = masking(first.unit)
    again.target = replace(again.target, made=first.target.made, before=first.target.before)
    assert again.run().outcome is Outcome.PROVEN
    assert again.steps == ["reload", "try-start"]


def test_a_mask_in_another_layer_meanwhile_is_no_change_of_ours() -> None:
    unit = OneUnit(active=DOWN)
    walk = masking(unit)
    unit.put_mask(Layer.RUNTIME)
    unit.mask_loaded = True
    assert walk.run().outcome is Outcome.NO_CHANGE


@pytest.mark.parametrize(("active", "outcome"), [(UP, Outcome.NOT_PROTECTED), (DOWN, Outcome.FAILED)])
def test_a_mask_taken_away_while_it_is_made_protects_nothing(active: ActiveState, outcome: Outcome) -> None:
    unit = OneUnit(active=active)
    walk = masking(unit)
    while "link" not in walk.steps:
        walk.step()
    walk._next(unit.look())
    del unit.files[Layer.PERSISTENT]
    done = walk.run()
    assert done.outcome is outcome
    assert "taken away" in done.note


def test_a_proof_that_starts_the_unit_stops_it_and_is_no_proof() -> None:
    unit = OneUnit(start_slips_through=True)
    walk = masking(unit)
    done = walk.run()
    assert done.outcome is Outcome.NOT_PROTECTED
    assert "was not refused" in done.note
    assert walk.steps[-2:] == ["try-start", "stop"]
    assert unit.active is DOWN


def test_a_proof_that_starts_nothing_and_is_not_refused_is_no_proof_either() -> None:
    unit = OneUnit(start_slips_through=True)
    walk = masking(unit, keep_running=True)
    assert walk.run().outcome is Outcome.NOT_LOADED
    assert "stop" not in walk.steps


@pytest.mark.parametrize(("refuses", "wanted"), [(True, True), (False, False)])
def test_without_a_try_the_proof_says_that_there_was_none(refuses: bool, wanted: bool) -> None:  # noqa: FBT001
    walk = masking(OneUnit(refuses_start_by_hand=refuses))
    walk.try_start = wanted
    assert walk.run() == Done(Outcome.PROVEN, "A start was not tried as a proof.")
    assert "try-start" not in walk.steps


def test_a_start_that_settles_after_the_proof_is_stopped() -> None:
    unit = OneUnit(start_slips_through=True, start_takes=0.0)
    walk = masking(unit)
    while "try-start" not in walk.steps:
        walk.step()
    assert unit.look().active is UP
    assert walk.step()[0] == Stop()


class TestAfterACrash:
    """The record holds the intent, and nothing says whether it was carried out: only the look does."""

    @pytest.mark.parametrize("lost", range(6))
    @pytest.mark.parametrize("was_sent", [True, False])
    def test_an_unanswered_step_is_looked_at_and_the_walk_comes_to_its_end(self, lost: int, was_sent: bool) -> None:  # noqa: FBT001
        unit = OneUnit()
        walk = masking(unit)
        while len(walk.steps) < lost:
            walk.step()
        step = walk._next(unit.look())
        assert not isinstance(step, Done)
        if was_sent:
            unit.do(step)  # type: ignore[arg-type]
        unanswered = Sent(["probe", "unprobe", "stop", "link", "reload", "try-start"][lost], (), unit.now)
        walk.target = replace(walk.target, sent=(*walk.target.sent, unanswered))
        assert walk.run() == Done(Outcome.PROVEN)
        assert unit.active is DOWN
        assert not unit.probe_is_there

    def test_a_probe_that_never_gets_an_answer_is_given_up(self) -> None:
        step = next_step(Work(_MASK, _after(*["probe", "unprobe"] * 3)), OneUnit().look(), NOON)
        assert step == Done(Outcome.FAILED, "")

    def test_a_link_that_never_gets_an_answer_is_given_up(self) -> None:
        target = _after("link", "link", "link")
        step = next_step(Work(_MASK, target), OneUnit(active=DOWN).look(), NOON)
        assert step == Done(Outcome.FAILED, "")

    def test_a_proof_that_never_gets_an_answer_is_given_up(self) -> None:
        unit = OneUnit(active=DOWN, mask_loaded=True)
        unit.put_mask(Layer.PERSISTENT)
        target = replace(_after("link", "try-start", "try-start", "try-start"), made=unit.files[Layer.PERSISTENT])
        step = next_step(Work(_MASK, target), unit.look(), NOON)
        said = "A start was tried as a proof, and no answer came; it is proven by its properties alone."
        assert step == Done(Outcome.PROVEN, said)

    def test_a_mask_loaded_by_somebody_before_the_stop_still_stops_the_unit(self) -> None:
        unit = OneUnit()
        walk = masking(unit)
        walk.step()
        unit.put_mask(Layer.RUNTIME)
        unit.mask_loaded = True
        assert walk.run().outcome is Outcome.PROVEN
        assert walk.target.settings_lost
        assert not unit.own_stop_commands_ran


_MASK = Change(Verb.MASK, "web-01", UnitName("worker.service"))


def _after(*steps: str) -> Target:
    sent = tuple(Sent(step, (), NOON) for step in steps)
    return Target("web-01", _MASK.unit, Layer.PERSISTENT, before=OneUnit().look(full=True), sent=sent)


def test_a_mask_without_a_layer_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="layer"):
        next_step(Work(_MASK, Target("web-01", _MASK.unit)), OneUnit().look(), NOON)


def test_a_pending_job_is_waited_for() -> None:
    unit = OneUnit()
    walk = masking(unit)
    while "stop" not in walk.steps:
        walk.step()
    unit.active, unit.stopping_since = UP, None
    step = next_step(Work(_MASK, walk.target), replace(unit.look(), pending_job="17"), unit.now)
    assert isinstance(step, Wait)


def test_the_same_look_gives_the_same_step() -> None:
    unit = OneUnit()
    walk = masking(unit)
    assert walk._next(unit.look()) == walk._next(unit.look()) == Probe()


def test_the_proof_is_tried_once() -> None:
    walk = masking(OneUnit())
    walk.run()
    assert walk.steps.count(TryStart.name) == 1
    assert ActiveState.FAILED.is_down


def test_a_start_by_each_name_is_tried_also_by_those_that_only_the_look_before_knew() -> None:
    walk = masking(OneUnit(names=("w.service",)))
    assert walk.target.before
    walk.target = replace(walk.target, before=replace(walk.target.before, names=frozenset({"old.service"})))
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps[-3:] == ["try-start", "try-start old.service", "try-start w.service"]


def test_a_name_by_which_it_starts_all_the_same_is_stopped_and_no_proof() -> None:
    unit = OneUnit(names=("w.service",), starts_as="w.service")
    walk = masking(unit)
    done = walk.run()
    assert done.outcome is Outcome.NOT_PROTECTED
    assert walk.steps[-2:] == ["try-start w.service", "stop"]
    assert unit.active is DOWN
