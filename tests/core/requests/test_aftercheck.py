"""What is worse a while after a change than it was right after it; and nothing else is said."""

from dataclasses import replace
from typing import Any

from bot.core.requests import Aftercare, Outcome, SeenDrift, Target
from bot.core.requests.aftercheck import affected_units, already_reported, new_problems
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from tests.core.situations import masked, related_unit, snapshot, surroundings, waiting

UP, DOWN = ActiveState.ACTIVE, ActiveState.INACTIVE


def ours(after: Snapshot | None = None, outcome: Outcome = Outcome.PROVEN) -> Target:
    """A mask of cron.service, as it was right after it was made."""
    seen = after or masked(Layer.PERSISTENT)
    made = seen.layer(Layer.PERSISTENT)
    return Target("web-01", UnitName("cron.service"), Layer.PERSISTENT, after=seen, made=made, outcome=outcome)


def beside(seen: Snapshot, **others: ActiveState) -> Snapshot:
    """The same look with units that were asked about besides."""
    around = surroundings(others=tuple(related_unit(f"{name}.service", active=how) for name, how in others.items()))
    return replace(seen, around=around)


def failed(seen: Snapshot, *units: str, **others: ActiveState) -> Snapshot:
    around = beside(seen, **others).around
    assert around
    return replace(seen, around=replace(around, failed=units))


def with_link(**changed: Any) -> Snapshot:
    seen = masked(Layer.PERSISTENT)
    layers = tuple(replace(file, **changed) if file.layer is Layer.PERSISTENT else file for file in seen.layers)
    return replace(seen, layers=layers)


def test_where_all_is_as_it_was_nothing_is_said() -> None:
    seen = beside(failed(masked(Layer.PERSISTENT), "old.service"), metrics=UP, idle=DOWN)
    assert new_problems(ours(seen), seen) == ()


def test_what_has_to_do_with_it_and_failed_since_is_named_once() -> None:
    was = failed(masked(Layer.PERSISTENT), "old.service", metrics=UP)
    now = failed(masked(Layer.PERSISTENT), "old.service", "metrics.service", metrics=ActiveState.FAILED)
    assert new_problems(ours(was), now) == ("metrics.service has failed.",)


def test_what_fails_on_the_host_and_has_nothing_to_do_with_it_is_not_named() -> None:
    was, now = beside(masked(Layer.PERSISTENT), metrics=UP), failed(masked(Layer.PERSISTENT), "b.timer", metrics=UP)
    assert new_problems(ours(was), now) == ()


def test_what_another_request_of_ours_has_changed_since_is_not_named() -> None:
    was = beside(masked(Layer.PERSISTENT), metrics=UP, other=UP)
    now = failed(masked(Layer.PERSISTENT), "other.service", metrics=DOWN, other=ActiveState.FAILED)
    assert new_problems(ours(was), now, ours={"metrics.service", "other.service"}) == ()
    assert new_problems(ours(was), now, ours={"metrics.service"}) == ("other.service has failed.",)


def test_of_a_unit_that_another_request_of_ours_has_changed_since_its_own_card_tells() -> None:
    running_again = failed(replace(snapshot(), names=frozenset({"cron.service", "crond.service"})), "cron.service")
    assert new_problems(ours(), running_again, ours={"x.service"}) == ("cron.service is active again.", FAILED)
    for other in ({"cron.service"}, {"crond.service", "x.service"}):
        assert new_problems(ours(), running_again, ours=other) == ()
    back = ours(snapshot(), Outcome.RESTORED)
    assert new_problems(back, masked(Layer.PERSISTENT), ours={"cron.service"}) == ()


def test_a_mask_that_is_known_to_be_lost_has_nothing_more_to_tell_of_its_unit() -> None:
    assert new_problems(ours(), snapshot(), is_lost=True) == ()


def test_a_job_that_came_to_its_end_is_no_news() -> None:
    was = beside(masked(Layer.PERSISTENT), backup=ActiveState.ACTIVATING)
    assert new_problems(ours(was), beside(masked(Layer.PERSISTENT), backup=DOWN)) == ()


def test_instances_have_to_do_with_their_template_and_not_with_each_other() -> None:
    def with_instance(active: ActiveState) -> Snapshot:
        around = surroundings(members=(related_unit("job@1.service", active=active),))
        return replace(masked(Layer.PERSISTENT), around=around)

    template = replace(ours(with_instance(UP)), unit=UnitName("job@.service"))
    assert new_problems(template, with_instance(DOWN)) == ("job@1.service is inactive.",)
    assert new_problems(ours(with_instance(UP)), with_instance(DOWN)) == ()


FAILED = "cron.service has failed."


def test_what_a_change_touches_is_its_unit_under_all_its_names_and_what_it_takes_along() -> None:
    seen = replace(
        snapshot(names={"cron.service", "crond.service"}), around=surroundings(would_stop=(related_unit("a.service"),))
    )
    request = waiting().on_target(before=seen, planned=None)
    assert affected_units(request) == {"cron.service", "crond.service", "a.service"}
    assert affected_units(request.on_target(before=None)) == {"cron.service"}
    told = replace(request, aftercare=Aftercare(found=("x",)), drift=SeenDrift(failed=("a.service",)))
    assert already_reported(told) == {"x", "a.service has failed."}


def test_what_went_down_since_is_named() -> None:
    was = beside(masked(Layer.PERSISTENT), metrics=UP, other=UP, idle=DOWN)
    assert new_problems(ours(was), beside(masked(Layer.PERSISTENT), metrics=DOWN, idle=UP)) == (
        "metrics.service is inactive.",
    )


def test_a_link_that_systemd_does_not_go_by_is_named() -> None:
    assert new_problems(ours(), replace(masked(Layer.PERSISTENT), load=LoadState.LOADED)) == (
        "The mask's link is there, but systemd calls it loaded.",
    )


def test_that_our_link_is_gone_or_another_one_is_told_elsewhere_and_once() -> None:
    assert new_problems(ours(), snapshot(active=DOWN)) == ()
    assert new_problems(ours(), with_link(identity="1:9:9")) == ()
    assert new_problems(ours(), with_link(kind=FileKind.FILE)) == ()


def test_a_link_that_was_never_seen_is_missed_and_not_compared() -> None:
    never_seen = replace(ours(), made=None)
    assert new_problems(never_seen, with_link(identity="1:9:9")) == ()
    assert new_problems(never_seen, snapshot(active=DOWN)) == ("The mask that the bot made is gone.",)


def test_a_masked_unit_that_runs_again_is_named() -> None:
    assert new_problems(ours(), snapshot()) == ("cron.service is active again.",)


def test_a_unit_that_was_brought_back_and_went_down_is_named() -> None:
    back = ours(snapshot(), Outcome.RESTORED)
    assert new_problems(back, snapshot()) == ()
    assert new_problems(back, snapshot(active=DOWN)) == ("cron.service is inactive.",)
    assert new_problems(back, failed(snapshot(active=ActiveState.FAILED), "cron.service")) == (
        "cron.service has failed.",
    )


def test_without_a_look_right_after_it_there_is_nothing_to_compare_with() -> None:
    assert new_problems(replace(ours(), after=None), snapshot()) == ()
    no_surroundings = replace(masked(Layer.PERSISTENT), around=None)
    assert new_problems(ours(no_surroundings), no_surroundings) == ()
