"""Settings of several rules: the strictest of each, whatever the order of rules, hosts and units."""

from datetime import timedelta
from itertools import permutations

import pytest

from bot.core.requests import KeepActive, RolloutRule, RolloutSettings, RolloutTarget
from bot.core.rollout.settings import for_undo, strictest
from bot.core.rollout.wave_sizes import in_waves
from bot.core.systemd.units import UnitName

MINUTE = timedelta(minutes=1)
SLOW = RolloutRule(waves=("1", "rest"), pause=30 * MINUTE, keep_active=KeepActive("web", 2), in_parallel=20)
CAREFUL = RolloutRule(waves=("2", "2", "rest"), stop_after="10%", strict=True, keep_active=KeepActive("web", 3))
CHECKED = RolloutRule(pause=MINUTE, stop_after="2", wait_for_aftercheck=True, keep_active=KeepActive("db", 1))


def merged(*rules: RolloutRule, hosts: int = 10, targets: int = 40) -> RolloutSettings:
    return strictest(rules, hosts=hosts, targets=targets)


def test_what_no_rule_says_is_as_usual_and_one_rule_counts_as_written() -> None:
    assert merged() == merged(RolloutRule(), RolloutRule()) == RolloutSettings()
    shares = RolloutRule(waves=("1", "10%", "rest"), stop_after="5%")
    assert merged(shares, RolloutRule()) == RolloutSettings(waves=("1", "10%", "rest"), stop_after="5%")
    assert merged(shares, RolloutRule(waves=("1", "10%", "rest"))).waves == ("1", "10%", "rest")


def test_the_strictest_of_each_counts_in_any_order() -> None:
    wanted = RolloutSettings(
        waves=("1", "1", "2", "rest"),
        pause=30 * MINUTE,
        stop_after="2",  # and 10% would be four
        in_parallel=20,  # one rule says so, and the others say nothing
        keep_active=(KeepActive("db", 1), KeepActive("web", 3)),
        strict=True,
        wait_for_aftercheck=True,
    )
    assert {merged(*order) for order in permutations((SLOW, CAREFUL, CHECKED))} == {wanted}
    assert merged(SLOW, CAREFUL, CAREFUL, CHECKED) == wanted
    assert merged(SLOW, RolloutRule(in_parallel=3, pause=timedelta())).in_parallel == 3


def test_of_equal_limits_the_same_one_counts_in_any_order() -> None:
    one, other = RolloutRule(stop_after="4"), RolloutRule(stop_after="10%")
    assert merged(one, other) == merged(other, one)
    assert merged(one, RolloutRule(stop_after="9%"), targets=100).stop_after == "4"


@pytest.mark.parametrize(
    ("rules", "hosts", "sizes"),
    [
        ((("1", "rest"), ("rest",)), 3, [1, 2]),
        ((("2", "2", "2"), ("3", "rest")), 8, [2, 1, 1, 4]),
        ((("10%", "rest"), ("5", "10", "rest")), 40, [4, 1, 10, 25]),
        ((("5", "rest"), ("100%", "rest")), 3, [3]),  # no wave ends before all hosts are done
    ],
)
def test_a_wave_ends_wherever_it_ends_by_one_of_the_rules(
    rules: tuple[tuple[str, ...], ...], hosts: int, sizes: list[int]
) -> None:
    waves = merged(*(RolloutRule(waves=one) for one in rules), hosts=hosts).waves
    targets = in_waves([RolloutTarget(f"h{number}", UnitName("a.service")) for number in range(hosts)], waves)
    found = [sum(1 for one in targets if one.wave == wave) for wave in range(1, max(t.wave for t in targets) + 1)]
    assert found == sizes


def test_an_undo_goes_everywhere_at_once() -> None:
    undo = for_undo(merged(SLOW, CAREFUL, RolloutRule(in_parallel=3)))
    assert (undo.waves, undo.pause, undo.stop_after, undo.in_parallel) == (("rest",), timedelta(), "100%", 3)
    assert undo.each_alone and not undo.keep_active and not undo.strict
