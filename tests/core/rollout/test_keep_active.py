"""What may begin, so that enough hosts go on running each unit, and which plan is refused at once."""

from dataclasses import replace

from bot.core.cards.rollout.reasons import too_few_active, would_leave_too_few
from bot.core.requests import KeepActive, RolloutTarget, Verb
from bot.core.rollout.keep_active import Count, keeping_enough, stops_units, that_leaves_too_few
from bot.core.systemd.units import UnitName
from tests.core.situations import request

CRON, NGINX = UnitName("cron.service"), UnitName("nginx.service")


def count(at_least: int, *active: str, unit: UnitName = CRON) -> Count:
    return Count(KeepActive("web", at_least), unit, frozenset(active))


def targets(*hosts: str, unit: UnitName = CRON) -> list[RolloutTarget]:
    return [RolloutTarget(host, unit) for host in hosts]


def test_as_many_begin_as_can_be_spared_and_the_first_that_is_short_is_named() -> None:
    web = count(2, "a", "b", "c")
    assert keeping_enough([web], targets("a", "b")) == (targets("a"), web)
    assert keeping_enough([web], targets("c")) == (targets("c"), None)
    assert keeping_enough([], targets("a", "b")) == (targets("a", "b"), None)


def test_what_does_not_run_the_unit_or_is_in_no_group_costs_nothing() -> None:
    assert keeping_enough([count(1, "a")], targets("down", "a", "db-01")) == (targets("down", "db-01"), count(1, "a"))


def test_each_unit_and_each_group_is_counted_by_itself() -> None:
    cron, nginx = count(1, "a", "b"), count(2, "a", "b", unit=NGINX)
    wanted = [*targets("a"), *targets("a", "b", unit=NGINX)]
    assert keeping_enough([cron, nginx], wanted) == (targets("a"), nginx)
    db = Count(KeepActive("db", 2), CRON, frozenset({"a", "b"}))
    assert keeping_enough([cron, db], targets("a")) == ([], db)
    # what waits by one count takes nothing away from another
    assert keeping_enough([count(1, "a", "b", "c"), db], targets("a", "c")) == (targets("c"), db)


def test_a_plan_that_can_never_be_carried_out_is_found() -> None:
    enough, short = count(1, "a", "b"), count(2, "a", "b", unit=NGINX)
    both = [*targets("a"), *targets("a", unit=NGINX)]
    assert that_leaves_too_few([enough, short], both) == (short, 1)
    assert that_leaves_too_few([enough], targets("a")) is None
    assert that_leaves_too_few([enough], targets("a", "b")) == (enough, 2)
    assert that_leaves_too_few([count(3, "a")], targets("down")) is None  # too few already, and none of it is ours


def test_only_what_stops_units_is_counted() -> None:
    mask = request().ask.change
    assert stops_units(mask)
    assert not stops_units(replace(mask, keep_running=True))
    assert not stops_units(replace(mask, adopt=True))
    assert not stops_units(replace(mask, verb=Verb.UNMASK))


def test_the_count_is_said() -> None:
    assert too_few_active(count(2, "a", "b")) == (
        "cron.service must stay active on 2 hosts of @web, and is active on only 2"
    )
    assert would_leave_too_few(count(1, "a", "b", "c"), 3) == (
        "cron.service must stay active on 1 host of @web. It is active on 3 now, and this would leave 0. "
        "Ask for at most 2 of them."
    )
    assert would_leave_too_few(count(2, "a", "b"), 1).endswith("leave 1. Ask again when more hosts have it active.")
