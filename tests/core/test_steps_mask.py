"""From an ordinary unit to a masked one, in every weather."""

from dataclasses import replace

import pytest

from bot.core.changes import Change, Outcome, Sent, Target, Verb
from bot.core.steps import Done, Work, next_step
from bot.core.steps.kinds import Link, Stop, TryStart
from bot.core.units import ActiveState, Layer, UnitName
from tests.core.one_unit import DOWN, NOON, UP, OneUnit, masking


def test_the_unit_is_stopped_with_its_own_settings_between_link_and_reload() -> None:
    unit = OneUnit()
    walk = masking(unit)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps == ["link", "stop", "reload", "try-start"]
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
    unit = OneUnit(link_fails="Failed to mask unit: Read-only file system")
    walk = masking(unit)
    assert walk.run() == Done(Outcome.FAILED, "Failed to mask unit: Read-only file system")
    assert walk.steps == ["link"]
    assert unit.active is UP


def test_a_slow_stop_is_waited_for_and_not_repeated() -> None:
    walk = masking(OneUnit(stop_takes=12, stop_limit=5))
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps.count("stop") == 1


def test_a_stop_that_never_ends_is_given_its_time_and_then_told_as_it_is() -> None:
    unit = OneUnit(stop_takes=10_000, stop_limit=5)
    walk = masking(unit)
    done = walk.run()
    assert done.outcome is Outcome.MASKED_RUNNING
    assert "has not stopped within its own time limit" in done.note
    waited = (unit.now - NOON).total_seconds()
    assert 15 <= waited < 20
    assert walk.steps == ["link", "stop", "reload"]


def test_the_time_limit_is_the_one_from_before_whatever_a_reload_made_of_it() -> None:
    unit = OneUnit(stop_takes=10_000, stop_limit=5)
    walk = masking(unit)
    walk.step()
    walk.step()
    unit.mask_loaded = True  # somebody else's daemon-reload: the live limit is 90 s now
    assert walk.run().outcome is Outcome.MASKED_RUNNING
    assert (unit.now - NOON).total_seconds() < 20
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


def test_a_refused_stop_is_not_repeated() -> None:
    walk = masking(OneUnit(refuses_stop=True))
    done = walk.run()
    assert done.outcome is Outcome.MASKED_RUNNING
    assert "Operation refused" in done.note
    assert walk.steps == ["link", "stop", "reload"]


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


def test_a_mask_taken_away_before_the_stop_has_changed_nothing() -> None:
    unit = OneUnit()
    walk = masking(unit)
    walk.step()
    walk.step()
    walk.target = replace(walk.target, sent=walk.target.sent[:1])
    del unit.files[Layer.PERSISTENT]
    assert walk.run().outcome is Outcome.FAILED
    assert "taken away" in walk.run().note


def test_a_mask_taken_away_after_the_stop_leaves_it_unprotected() -> None:
    unit = OneUnit()
    walk = masking(unit)
    walk.step()
    walk.step()
    del unit.files[Layer.PERSISTENT]
    assert walk.run().outcome is Outcome.NOT_PROTECTED


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

    @pytest.mark.parametrize("lost", range(4))
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
        unanswered = Sent(["link", "stop", "reload", "try-start"][lost], (), unit.now)
        walk.target = replace(walk.target, sent=(*walk.target.sent, unanswered))
        assert walk.run() == Done(Outcome.PROVEN)
        assert unit.active is DOWN

    def test_a_link_that_never_gets_an_answer_is_given_up(self) -> None:
        target = _after("link", "link", "link")
        step = next_step(Work(_MASK, target), OneUnit().look(), NOON)
        assert step == Done(Outcome.FAILED, "")

    def test_a_proof_that_never_gets_an_answer_is_given_up(self) -> None:
        unit = OneUnit(active=DOWN, mask_loaded=True)
        unit.put_mask(Layer.PERSISTENT)
        step = next_step(Work(_MASK, _after("link", "try-start", "try-start", "try-start")), unit.look(), NOON)
        said = "A start was tried as a proof, and no answer came; it is proven by its properties alone."
        assert step == Done(Outcome.PROVEN, said)

    def test_a_mask_loaded_by_somebody_before_the_stop_still_stops_the_unit(self) -> None:
        unit = OneUnit()
        walk = masking(unit)
        walk.step()
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
    walk.step()
    walk.step()
    unit.active, unit.stopping_since = UP, None
    step = next_step(Work(_MASK, walk.target), replace(unit.look(), pending_job="17"), unit.now)
    assert type(step).__name__ == "Wait"


def test_the_same_look_gives_the_same_step() -> None:
    unit = OneUnit()
    walk = masking(unit)
    assert walk._next(unit.look()) == walk._next(unit.look()) == Link()


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
