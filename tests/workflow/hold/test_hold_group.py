"""A hold for a group: approved once, it goes to every host of the group, and off all of them again."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cards import handover as cards
from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.model import ListedUnit, Rule
from bot.core.requests import Hold, Loss, Outcome, Request, Stage, Verb
from bot.errors import HostError, Stale, UsageError
from bot.ports import Query
from bot.workflow.engine.config_reload import put_in_force
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.hold.rollout import roll_out
from bot.workflow.requests.hold_group_members import make_rollout_due, rollout_name
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.drift.test_watch import turn
from tests.workflow.expiry.test_expire import MASKED, RUNS, state
from tests.workflow.fleet import AnyHost
from tests.workflow.hold.test_hold import CARE, DAY, HELD, lift, remove_by_hand
from tests.workflow.slack import ALICE, BOB, CAROL, words
from tests.workflow.wire import Call
from tests.workflow.world import World, inventory

WEB = ("web-01", "web-02")


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """Where `@sre` may own holds."""
    return {"policy": HELD, "aftercare": CARE}


def grouped(hosts: Mapping[str, AnyHost], *names: str) -> Inventory:
    """The hosts, with those of these names in the group `@web`."""
    known = inventory(hosts).hosts
    return Inventory(tuple(replace(host, groups=frozenset({"web"} if host.name in names else ())) for host in known))


@pytest.fixture
def world(world: World) -> World:
    """Two of the three hosts are in `@web`, and every host was looked at once."""
    world.in_force.put(ConfigSnapshot(grouped(world.hosts, *WEB), HELD))
    schedule_configured(world.deps)
    world.until(
        lambda: all(view.seen_at for view in read_mask_inventory(world.deps).host_views), "a look at every host"
    )
    return world


def ask_group_hold(world: World, unit: str = "worker", *, group: str = "web") -> Request:
    """Alice asks for a hold on all of a group."""
    hold = Hold("sre", (world.clock.now() + 90 * DAY).replace(microsecond=0), hosts=group)
    return world.until_answered(world.ask_mask(unit, host=f"@{group}", hold=hold))


def hold_group(world: World, *, group: str = "web") -> Request:
    done = world.approve(ask_group_hold(world, group=group))
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    return done


def part(world: World, host: str = "web-02") -> Request:
    """The newest request by which the bot holds it on another host, once there is one."""

    def found() -> list[Request]:
        return [one for one in world.store.find(Query(host=host)) if one.ask.is_group_member]

    world.until(lambda: bool(found()), f"a request of our own for {host}")
    return found()[0]


def announced(world: World, part: str) -> list[str]:
    """What was said in the thread of the first card about the whole of it."""
    said = [one for one in list(world.slack.messages.values()) if one.mark.startswith("announcement") and one.thread]
    return [text for one in said if part in (text := words(one.text))]


def is_masked(world: World, host: str, unit: str = "worker.service") -> bool:
    return state(world.hosts[host], unit) == MASKED


def turned(world: World) -> None:
    """A while passes, and every hold for a group is seen to after it."""
    world.clock.ahead += timedelta(minutes=5)
    due = {task.name: due_now(world, task.name) for task in world.store.find_periodic("hold_rollout") if task.due_at}

    def is_done() -> bool:
        return all(
            task.version >= due[task.name] + 2 for task in world.store.find_periodic("hold_rollout") if task.name in due
        )

    world.until(is_done, "a turn of the holds")  # each is taken, and kept


def due_now(world: World, name: str) -> int:
    """The version under which it is due; a turn that is just being made is made again."""
    while True:
        task = world.store.get_periodic(name)
        assert task
        with suppress(Stale):
            return world.store.save_periodic(replace(task, due_at=world.clock.now())).version


class Away:
    """One host does not answer."""

    def __init__(self, world: World, host: str) -> None:
        self._host = host
        self._world = world
        world.wire.before.append(self._refuse)

    def _refuse(self, call: Call) -> None:
        if call.host == self._host:
            raise HostError(f"{call.host} does not answer.", code="ssh_unreachable", passing=True)

    def comes_back(self) -> None:
        self._world.wire.before.remove(self._refuse)


def test_it_is_approved_once_goes_to_every_host_and_is_lifted_from_all_of_them(world: World) -> None:
    waiting = ask_group_hold(world)
    card = world.card(waiting)
    assert card.startswith("MASK worker.service on @web · needs 1 approval")
    assert (
        "*Hosts*  2 in @web now: web-01 first, then web-02; and hosts that join later. This card shows web-01" in card
    )
    assert str(waiting.ask.change).startswith("mask @web worker.service --hold sre --review ")

    done = world.approve(waiting)
    other = world.until_final(part(world))

    assert (done.target.outcome, other.target.outcome) == (Outcome.PROVEN, Outcome.PROVEN), other.because
    assert all(is_masked(world, host) for host in WEB)
    assert state(world.hosts["db-01"], "worker.service") == RUNS
    assert (other.counted_votes, other.because) == ((), "approved with the hold for its group")
    assert "Held*  by @sre, with all of @web" in world.card(other)
    assert "[Unmask] [Details]" in world.card(other)
    (beside,) = world.slack.marked(f"{other.id}:card")
    assert beside.thread == world.store.card(done.id)[1]  # one card in the channel, whatever the number of hosts
    assert [one.aftercare.remind_at is None for one in (done, other)] == [False, True]  # and one call on its day

    assert world.undo(done, by=ALICE).because.endswith(
        "is held by @sre, and nobody else lifts it. " + ("Somebody of @sre must ask.")
    )
    lifts = world.until_answered(world.ask(Verb.UNMASK, "worker", host="@web", by=BOB))
    assert "*Hosts*  lifted on all 2: web-01, web-02" in world.card(lifts)
    assert world.approve(lifts, by=CAROL).target.outcome is Outcome.RESTORED
    gone = world.when(other, lambda now: bool(now.undone_by), "the end on the other host")
    assert world.until_final(world.store.get(gone.undone_by)).target.outcome is Outcome.RESTORED
    assert [state(world.hosts[host], "worker.service") for host in WEB] == [RUNS, RUNS]
    with pytest.raises(UsageError, match="There is no host `@web`"):
        world.ask(Verb.UNMASK, "worker", host="@web", by=BOB)


def test_a_host_that_is_away_at_the_time_is_held_once_it_is_back(world: World) -> None:
    unreachable = Away(world, "web-02")
    done = hold_group(world)
    pending = world.when(part(world), lambda now: now.target.note != "", "a hold that is pending")
    assert pending.stage is Stage.ASKED
    assert "mask worker.service on web-02: checking the host" in words(cards.handover(read_mask_inventory(world.deps)))
    assert "stays pending until web-02 answers" in world.note(pending, "pending")
    unreachable.comes_back()
    world.store.make_due(pending.id)
    assert world.until_final(pending).target.outcome is Outcome.PROVEN
    assert world.store.get(done.id).hold is not None


def test_a_host_that_joins_the_group_by_a_reload_is_held_at_once(world: World) -> None:
    hold_group(world)
    world.until_final(part(world))
    put_in_force(world.deps, ConfigSnapshot(grouped(world.hosts, *WEB, "db-01"), replace(HELD, digest="1" * 64)))
    joined = world.until_final(part(world, "db-01"))
    assert joined.target.outcome is Outcome.PROVEN, joined.because
    assert is_masked(world, "db-01")


def test_where_the_policy_asks_for_more_it_is_not_held_and_people_are_told(world: World) -> None:
    hold_group(world)
    world.until_final(part(world))
    strict = Rule("strict", environments=frozenset({"vault"}), ask=frozenset({"eng"}), approve=("sre",), need=2)
    hosts = grouped(world.hosts, *WEB, "db-01").hosts
    others = tuple(replace(host, environment="vault") if host.name == "db-01" else host for host in hosts)
    policy = replace(HELD, digest="1" * 64, rules=(*HELD.rules, strict))
    put_in_force(world.deps, ConfigSnapshot(Inventory(others), policy))
    joined = world.until_final(part(world, "db-01"))
    assert joined.stage is Stage.REFUSED
    assert joined.because == (
        "Rule `strict` needs more there than the hold was approved with: 2 of @sre. Ask for a hold on db-01 by itself."
    )
    assert state(world.hosts["db-01"], "worker.service") == RUNS


def test_what_is_critical_on_one_host_stays_there_and_the_others_are_held(world: World) -> None:
    policy = replace(HELD, critical=(*HELD.critical, ListedUnit("dear.service", "dear to us")))
    world.in_force.put(ConfigSnapshot(grouped(world.hosts, *WEB), policy))
    needs = "[Unit]\nRequires=worker.service\n[Service]\nExecStart=sleep 9999\n"
    world.hosts["web-02"].write("/etc/systemd/system/dear.service", needs)
    world.hosts["web-02"].run("systemctl", "daemon-reload")
    world.hosts["web-02"].run("systemctl", "start", "dear.service")

    done = hold_group(world)
    refused = world.until_final(part(world))
    assert refused.stage is Stage.REFUSED
    assert "dear.service depends on worker.service and is on the critical list" in refused.because
    assert state(world.hosts["web-02"], "worker.service") == RUNS
    for _ in range(2):
        turned(world)
        world.until(lambda: bool(announced(world, "worker.service is not held on web-02. dear.service")), "a word")
    assert len(announced(world, "is not held on web-02")) == 1
    assert part(world).id == refused.id  # not asked for at every turn

    world.hosts["web-02"].run("systemctl", "stop", "dear.service")
    world.hosts["web-02"].run("rm", "/etc/systemd/system/dear.service")
    world.hosts["web-02"].run("systemctl", "daemon-reload")
    world.clock.ahead += timedelta(hours=2)
    turned(world)
    world.until(lambda: part(world).id != refused.id, "another try")
    assert world.until_final(part(world)).target.outcome is Outcome.PROVEN
    assert world.store.get(done.id).hold is not None


def test_what_is_taken_off_one_host_is_put_back_there_and_still_lifted_with_the_whole(world: World) -> None:
    done = hold_group(world)
    other = world.until_final(part(world))
    remove_by_hand(world, other)
    back = world.until_final(
        world.store.get(world.when(other, lambda now: bool(now.repeated_by), "a mask").repeated_by)
    )
    assert (back.target.outcome, back.ask.is_group_member) == (Outcome.PROVEN, True), back.because

    assert lift(world, done).target.outcome is Outcome.RESTORED
    gone = world.when(back, lambda now: bool(now.undone_by), "the end on the other host")
    assert world.until_final(world.store.get(gone.undone_by)).target.outcome is Outcome.RESTORED
    assert state(world.hosts["web-02"], "worker.service") == RUNS


def test_the_first_host_is_put_back_like_any_and_the_hold_goes_on_from_there(world: World) -> None:
    done = hold_group(world)
    world.until_final(part(world))
    remove_by_hand(world, done)
    back = world.until_final(world.store.get(world.when(done, lambda now: bool(now.repeated_by), "a mask").repeated_by))
    assert (back.target.outcome, back.hold and back.hold.is_group_wide) == (Outcome.PROVEN, True)
    put_in_force(world.deps, ConfigSnapshot(grouped(world.hosts, *WEB, "db-01"), replace(HELD, digest="1" * 64)))
    assert world.until_final(part(world, "db-01")).target.outcome is Outcome.PROVEN
    assert len([one for one in world.store.find(Query(host="web-02")) if one.ask.is_group_member]) == 1

    assert lift(world, back).target.outcome is Outcome.RESTORED
    for host in ("web-02", "db-01"):
        world.when(part(world, host), lambda now: bool(now.undone_by), f"the end on {host}")


def test_its_owners_may_lift_it_on_one_host_and_it_does_not_come_back_there(world: World) -> None:
    done = hold_group(world)
    other = world.until_final(part(world))
    assert world.undo(other, by=ALICE).stage is Stage.REFUSED
    with pytest.raises(UsageError, match="use Keep on the first card"):
        world.desk.extensions.mask_to_keep(other.id)
    assert lift(world, other).target.outcome is Outcome.RESTORED
    turned(world)
    turned(world)
    assert part(world).id == other.id
    assert state(world.hosts["web-02"], "worker.service") == RUNS
    assert world.store.get(done.id).hold is not None


def test_a_host_that_is_away_when_it_is_lifted_is_given_back_once_it_answers(world: World) -> None:
    done = hold_group(world)
    other = world.until_final(part(world))
    unreachable = Away(world, "web-02")
    assert lift(world, done).target.outcome is Outcome.RESTORED
    late = world.when(other, lambda now: now.aftercare.overdue != "", "an end that is overdue")
    assert (late.hold, late.hold_state.loss) == (None, None)
    unreachable.comes_back()
    world.when(other, lambda now: bool(now.undone_by), "the end on the other host")


def test_a_turn_that_is_lost_asks_for_nothing_twice(idle_world: World) -> None:
    world = idle_world
    world.in_force.put(ConfigSnapshot(grouped(world.hosts, *WEB), HELD))
    with world.running():
        done = hold_group(world)
        other = world.until_final(part(world))
    name = rollout_name(done)
    forgotten = world.store.get_periodic(name)
    assert forgotten
    forgotten = world.store.save_periodic(replace(forgotten, document={}))
    make_rollout_due(world.deps, done)
    with pytest.raises(Stale):  # whoever took it meanwhile does not hear of this turn
        roll_out(world.deps, forgotten)
    again = world.store.get_periodic(name)
    assert again
    with suppress(Stale):
        roll_out(world.deps, again)
    assert [one.id for one in world.store.find(Query(host="web-02"))] == [other.id]

    again = world.store.get_periodic(name)
    assert again
    world.store.save_periodic(replace(again, document={}))  # and it is lifted before the next turn
    with world.running():
        lift(world, done)
        world.when(other, lambda now: bool(now.undone_by), "the end on the other host")


def test_a_hold_whose_first_host_is_taken_off_is_lifted_like_any(world: World) -> None:
    done = hold_group(world)
    other = world.until_final(part(world))
    world.in_force.put(
        ConfigSnapshot(world.deps.in_force.inventory, replace(HELD, holds=replace(HELD.holds, reapply=False)))
    )
    remove_by_hand(world, done)
    off = world.when(done, lambda now: now.hold_state.loss is Loss.REMOVED, "a hold that is off")
    assert lift(world, off).target.outcome is Outcome.NOT_OURS
    world.when(other, lambda now: bool(now.undone_by), "the end on the other host")
    assert state(world.hosts["web-02"], "worker.service") == RUNS


def test_a_first_host_that_is_gone_for_good_strands_the_hold_and_people_are_told_once(world: World) -> None:
    hold_group(world)
    other = world.until_final(part(world))
    gone = Inventory(tuple(one for one in grouped(world.hosts, *WEB, "db-01").hosts if one.name != "web-01"))
    put_in_force(world.deps, ConfigSnapshot(gone, replace(HELD, digest="1" * 64)))
    for _ in range(2):
        turned(world)
        world.until(lambda: bool(announced(world, "web-01, where it began, is no longer in hosts.yaml")), "a word")
    assert len(announced(world, "reaches no more hosts")) == 1
    assert not [one for one in world.store.find(Query(host="db-01")) if one.ask.is_group_member]
    assert lift(world, other).target.outcome is Outcome.RESTORED


def test_a_host_in_two_groups_is_held_until_neither_is(world: World) -> None:
    web = hold_group(world)
    world.until_final(part(world))
    both = tuple(replace(host, groups=host.groups | {"all"}) for host in grouped(world.hosts, *WEB).hosts)
    world.in_force.put(ConfigSnapshot(Inventory(both), HELD))
    for host in WEB:
        turn(world, host)  # and sees what is masked
    everywhere = hold_group(world, group="all")
    assert everywhere.target.host == "db-01"
    turned(world)
    assert [len(world.store.find(Query(host=host))) for host in WEB] == [1, 1]

    other = part(world)
    assert lift(world, web).target.outcome is Outcome.RESTORED
    world.when(other, lambda now: bool(now.undone_by), "the end of one of them")
    world.clock.ahead += timedelta(hours=2)
    turned(world)
    world.until(lambda: all(is_masked(world, host) for host in WEB), "the other's turn")
    assert lift(world, everywhere).target.outcome is Outcome.RESTORED
    world.until(lambda: not any(is_masked(world, host) for host in (*WEB, "db-01")), "the end of both")
