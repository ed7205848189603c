"""What is worse a while after a change than it was right after it; and nothing else is said."""

from dataclasses import replace
from typing import Any

from bot.core.aftermath import aftermath
from bot.core.changes import Outcome, Target
from bot.core.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from tests.core.situations import masked, neighbour, snapshot, surroundings

UP, DOWN = ActiveState.ACTIVE, ActiveState.INACTIVE


def ours(after: Snapshot | None = None, outcome: Outcome = Outcome.PROVEN) -> Target:
    """A mask of cron.service, as it was right after it was made."""
    seen = after or masked(Layer.PERSISTENT)
    made = seen.layer(Layer.PERSISTENT)
    return Target("web-01", UnitName("cron.service"), Layer.PERSISTENT, after=seen, made=made, outcome=outcome)


def beside(seen: Snapshot, **others: ActiveState) -> Snapshot:
    """The same look with units that were asked about besides."""
    around = surroundings(others=tuple(neighbour(f"{name}.service", active=how) for name, how in others.items()))
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
    assert aftermath(ours(seen), seen) == ()


def test_what_failed_since_is_named_once() -> None:
    was = failed(masked(Layer.PERSISTENT), "old.service", metrics=UP)
    now = failed(masked(Layer.PERSISTENT), "old.service", "metrics.service", "b.timer", metrics=ActiveState.FAILED)
    assert aftermath(ours(was), now) == ("b.timer has failed.", "metrics.service has failed.")


def test_what_went_down_since_is_named() -> None:
    was = beside(masked(Layer.PERSISTENT), metrics=UP, other=UP, idle=DOWN)
    assert aftermath(ours(was), beside(masked(Layer.PERSISTENT), metrics=DOWN, idle=UP)) == (
        "metrics.service is inactive.",
    )


def test_a_link_that_systemd_does_not_go_by_is_named() -> None:
    assert aftermath(ours(), replace(masked(Layer.PERSISTENT), load=LoadState.LOADED)) == (
        "The mask's link is there, but systemd calls it loaded.",
    )


def test_that_our_link_is_gone_or_another_one_is_told_elsewhere_and_once() -> None:
    assert aftermath(ours(), snapshot(active=DOWN)) == ()
    assert aftermath(ours(), with_link(identity="1:9:9")) == ()
    assert aftermath(ours(), with_link(kind=FileKind.FILE)) == ()


def test_a_link_that_was_never_seen_is_missed_and_not_compared() -> None:
    never_seen = replace(ours(), made=None)
    assert aftermath(never_seen, with_link(identity="1:9:9")) == ()
    assert aftermath(never_seen, snapshot(active=DOWN)) == ("The mask that we made is not there any more.",)


def test_a_masked_unit_that_runs_again_is_named() -> None:
    assert aftermath(ours(), snapshot()) == ("cron.service is active again.",)


def test_a_unit_that_was_brought_back_and_went_down_is_named() -> None:
    back = ours(snapshot(), Outcome.RESTORED)
    assert aftermath(back, snapshot()) == ()
    assert aftermath(back, snapshot(active=DOWN)) == ("cron.service is inactive.",)
    assert aftermath(back, failed(snapshot(active=ActiveState.FAILED), "cron.service")) == ("cron.service has failed.",)


def test_without_a_look_right_after_it_there_is_nothing_to_compare_with() -> None:
    assert aftermath(replace(ours(), after=None), snapshot()) == ()
    no_surroundings = replace(masked(Layer.PERSISTENT), around=None)
    assert aftermath(ours(no_surroundings), no_surroundings) == ()
