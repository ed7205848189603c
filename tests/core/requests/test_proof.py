"""When may anybody be told that a unit is masked? Only when nothing in a full look speaks against it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.requests.proof import disproofs, unexpected_failures
from bot.core.systemd.units import ActiveState, FileKind, LoadState, Snapshot
from tests.core.walks import WORKER, Site, masked


def test_a_mask_that_holds_has_nothing_against_it() -> None:
    walk = masked(Site())
    assert disproofs(walk.change, walk.target, walk.site.look(full=True)) == ()


def _elsewhere(seen: Snapshot) -> Snapshot:
    files = [replace(file, kind=FileKind.ABSENT) for file in seen.layers]
    return replace(seen, layers=tuple(files))


@pytest.mark.parametrize(
    ("lie", "against"),
    [
        (lambda seen: replace(seen, load=LoadState.LOADED), "systemd calls it loaded"),
        (lambda seen: replace(seen, other_names_load=(("w.service", LoadState.LOADED),)), "other name w.service"),
        (_elsewhere, "the link is not where it was made"),
        (lambda seen: replace(seen, fragment="/lib/systemd/system/worker.service"), "loads it from /lib"),
        (lambda seen: replace(seen, fragment=""), "loads it from nowhere"),
        (lambda seen: replace(seen, active=ActiveState.ACTIVE), "it is active"),
        (lambda seen: replace(seen, main_pid=17), "its process 17 still runs"),
        (lambda seen: replace(seen, pending_job="4"), "a job queued"),
    ],
)
def test_whatever_speaks_against_it_is_found(lie: Callable[[Snapshot], Snapshot], against: str) -> None:
    walk = masked(Site())
    assert any(against in said for said in disproofs(walk.change, walk.target, lie(walk.site.look(full=True))))


@pytest.mark.parametrize("load", [LoadState.MASKED, LoadState.ERROR])
def test_an_alias_may_be_masked_and_one_of_the_administrator_may_say_error(load: LoadState) -> None:
    walk = masked(Site())
    seen = replace(walk.site.look(full=True), other_names_load=(("w.service", load),))
    assert disproofs(walk.change, walk.target, seen) == ()


def test_a_mask_of_which_the_look_before_is_gone_is_proven_by_the_look_after() -> None:
    walk = masked(Site())
    assert disproofs(walk.change, replace(walk.target, before=None), walk.site.look(full=True)) == ()


def test_without_a_layer_nothing_is_proven() -> None:
    walk = masked(Site())
    assert disproofs(walk.change, replace(walk.target, layer=None), walk.site.look(full=True))


def test_what_may_keep_running_may_run() -> None:
    walk = masked(Site(), keep_running=True)
    seen = replace(walk.site.look(full=True), main_pid=17)
    assert disproofs(walk.change, walk.target, seen) == ()


def test_a_unit_whose_mask_is_adopted_may_run() -> None:
    walk = masked(Site())
    seen = replace(walk.site.look(full=True), active=ActiveState.ACTIVE, main_pid=17)
    assert disproofs(replace(walk.change, adopt=True), walk.target, seen) == ()


def test_what_failed_in_between_and_was_not_expected_to_is_named() -> None:
    seen = Site(beside={"metrics.service": f"Requires={WORKER}"}).look(full=True)
    assert seen.around is not None
    after = replace(
        seen, around=replace(seen.around, failed=("metrics.service", str(WORKER), "surprise.service", "old.service"))
    )
    before = replace(seen, around=replace(seen.around, failed=("old.service",)))
    assert unexpected_failures(before, after) == ("surprise.service",)
    assert unexpected_failures(replace(before, around=None), after) == ()
    assert unexpected_failures(before, replace(after, around=None)) == ()
