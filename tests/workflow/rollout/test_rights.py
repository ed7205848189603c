"""Rights at the turn of each target: what was approved once is not carried out for people who may not any more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Duration, FollowupKind, Tally, TargetStatus
from bot.errors import UsageError
from bot.workflow.people.membership import person, read_groups
from bot.workflow.queries.answers import all_about, check_may_see
from bot.workflow.queries.home import gather_home, render_home
from tests.workflow.rollout.rolled import HOSTS, paused, refuse, rolled_out, statuses, targets, touched
from tests.workflow.slack import ALICE, BOB, CAROL, caller
from tests.workflow.world import POLICY, World, inventory


def two_rules(world: World, **prod: Any) -> None:
    """web-02 belongs to a stage that asks for no approval, and the others to prod."""
    known = inventory(world.hosts).hosts
    hosts = tuple(replace(one, environment="stage" if one.name == "web-02" else "prod") for one in known)
    (rule,) = POLICY.rules
    strict = replace(rule, environments=frozenset({"prod"}), **prod)
    free = replace(rule, name="stage", environments=frozenset({"stage"}), need=0)
    world.in_force.put(ConfigSnapshot(Inventory(hosts), replace(POLICY, digest="7" * 64, rules=(strict, free))))


TWO_HOURS = Duration(lasts=timedelta(hours=2))


def test_a_later_end_is_refused_for_all_where_one_target_refuses_it(world: World) -> None:
    two_rules(world, requires_expiry=True)
    done = world.approve(rolled_out(world, "web-01", "web-02", duration=TWO_HOURS))
    world.until_answered(world.desk.extensions.keep(done.id, "still leaks", caller(ALICE, "y")))
    assert world.store.get(done.id).aftercare.expires_at is not None


def test_nobody_keeps_what_they_may_not_ask_for_on_each_host(world: World) -> None:
    two_rules(world, ask=frozenset({"sre"}))
    asked = rolled_out(world, "web-01", "web-02", by=BOB, duration=TWO_HOURS)
    done = world.approve(asked, by=CAROL)
    world.until_answered(world.desk.extensions.keep(done.id, "still leaks", caller(ALICE, "y")))
    assert world.store.get(done.id).aftercare.expires_at is not None


def test_who_lost_their_rights_meanwhile_masks_no_further_target(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=("1", "1", "rest"))
    refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    world.people.groups = {"eng": {CAROL.id}, "sre": {CAROL.id}}
    world.people.people[BOB.id] = replace(BOB, is_deleted=True)
    world.follow_up(stopped, FollowupKind.GO_ON, by=ALICE)
    moved = (TargetStatus.FAILED, TargetStatus.ASKED_AGAIN)
    world.when(
        asked, lambda now: statuses(world, now)["db-01"] in moved or bool(now.rollout and now.rollout.paused_at), "x"
    )
    assert "db-01" not in touched(world)


def test_the_new_owner_of_all_does_not_approve_one_target_alone(world: World) -> None:
    asked = rolled_out(world, *HOSTS)
    world.follow_up(asked, FollowupKind.HAND_OVER, by=ALICE, to=CAROL.id)
    world.hosts["web-02"].write("/etc/systemd/system/worker.service.d/later.conf", "[Service]\nNice=5\n")
    world.hosts["web-02"].run("systemctl", "daemon-reload")
    world.vote(asked, by=BOB)
    world.when(asked, lambda now: statuses(world, now)["db-01"] is TargetStatus.DONE, "the others")
    again = targets(world, asked)["web-02"]
    world.vote(again, by=CAROL)
    world.when(again, lambda now: not now.uncounted_votes, "an answer to the vote")
    assert not world.store.get(again.id).counted_votes


def test_going_on_counts_only_where_something_waits_for_it(world: World) -> None:
    asked = rolled_out(world, *HOSTS, waves=("1", "1", "rest"))
    refuse(world, "web-02")
    world.vote(asked)
    stopped = paused(world, asked)
    world.follow_up(stopped, FollowupKind.GO_ON, by=BOB)
    with pytest.raises(UsageError):
        world.desk.rollouts.go_on(asked.id, caller(ALICE, "again"))


def test_who_may_ask_on_one_host_alone_neither_sees_all_of_it_nor_gets_it(world: World) -> None:
    two_rules(world, ask=frozenset({"sre"}), approve=("sre",))
    asked = rolled_out(world, "web-02", "web-01", by=BOB)
    with pytest.raises(UsageError, match="can see its details"):
        all_about(world.deps, asked, caller(ALICE, "details"))
    all_about(world.deps, asked, caller(CAROL, "details"))
    told = world.follow_up(asked, FollowupKind.HAND_OVER, by=BOB, to=ALICE.id)
    assert told.tally is Tally.REFUSED
    assert world.store.get(asked.id).owner == BOB.id


def test_a_rollout_waits_on_the_home_tab_of_those_who_could_approve_it(world: World) -> None:
    asked = rolled_out(world, "web-02", "web-01")
    for who, shown in ((BOB, [asked.id]), (ALICE, [])):
        me = person(world.deps, who.id, read_groups(world.deps))
        page = gather_home(world.deps, me, read_groups(world.deps))
        assert [one.id for one in page.to_decide] == shown
        assert [one.id for one in page.open] == [asked.id][len(shown) :]
    assert "Waiting for you · 1'" in str(render_home(world.deps, BOB.id))


def test_all_about_a_rollout_is_shown_to_whoever_may_ask_for_each_of_its_targets(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02")
    world.desk.details(asked.id, caller(ALICE))
    assert "worker.service" in world.ephemeral(ALICE, "web-02")
    two_rules(world, ask=frozenset({"sre"}), approve=("sre",))
    with pytest.raises(UsageError, match="Only those who may ask for or approve this change"):
        check_may_see(world.deps, world.store.get(asked.id), caller(ALICE))
