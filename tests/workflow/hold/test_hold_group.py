"""A hold for many hosts: a rollout without an end, which goes to hosts that join, and off all of them again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.model import ListedUnit, Rule
from bot.core.requests import Duration, FollowupKind, Hold, Outcome, Request, Stage, Tally, TargetStatus, Verb, Verdict
from bot.errors import HostError, UsageError
from bot.ports import Query
from bot.workflow.engine.config_reload import put_in_force
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.marks import mark_held
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.expiry.test_expire import MASKED, RUNS, state
from tests.workflow.fleet import AnyHost
from tests.workflow.hold.test_hold import CARE, DAY, HELD, lift, remove_by_hand
from tests.workflow.rollout.rolled import ask_rollout, paused, refuse, selection, statuses, targets
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, caller, words
from tests.workflow.wire import Call
from tests.workflow.world import World, inventory

WEB = ("web-01", "web-02")
UNIT = "worker.service"


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


def ask_group_hold(world: World, unit: str = "worker", *, group: str = "@web") -> Request:
    """Alice asks for a hold on all of a group."""
    hold = Hold("sre", (world.clock.now() + 90 * DAY).replace(microsecond=0))
    asked = world.ask_mask(unit, host=group, hold=hold, selection=selection(group, units=(unit,), waves=("rest",)))
    return world.until_answered(asked)


def hold_group(world: World, *, group: str = "@web") -> Request:
    return world.approve(ask_group_hold(world, group=group))


def part(world: World, whole: Request, host: str = "web-02") -> Request:
    """The request that holds it on a host now, once there is one."""

    def found() -> list[Request]:
        targets = world.store.get(whole.id).rollout
        ids = [one.request_id for one in targets.targets if one.host == host and one.request_id] if targets else []
        return [world.store.get(one) for one in ids]

    world.until(lambda: bool(found()), f"a request of our own for {host}")
    return found()[0]


def until_there(world: World, whole: Request, status: TargetStatus, host: str) -> Request:
    world.until(lambda: statuses(world, whole).get(host) is status, f"{host} to be {status}")
    return part(world, whole, host)


def notes(world: World, whole: Request, text: str) -> list[str]:
    """What was said in the thread of its card with this text."""
    said = [one for one in list(world.slack.messages.values()) if one.mark.startswith(f"{whole.id}:note")]
    return [found for one in said if text in (found := words(one.text))]


def is_masked(world: World, host: str, unit: str = UNIT) -> bool:
    return state(world.hosts[host], unit) == MASKED


def turned(world: World, whole: Request) -> None:
    """A while passes, and the hold has a turn after it."""
    world.clock.ahead += timedelta(minutes=6)
    at = world.clock.now()
    world.store.make_due(whole.id)
    world.when(whole, lambda now: bool(now.rollout and now.rollout.joins_at and now.rollout.joins_at > at), "a turn")


def reload(world: World, *names: str, **changed: Any) -> None:
    """Put other hosts into `@web`, and change the policy."""
    now = world.in_force.policy
    policy = replace(now, digest=f"{int(now.digest) + 1:064}", **changed)
    put_in_force(world.deps, ConfigSnapshot(grouped(world.hosts, *names), policy))


def edit(world: World, host: str) -> None:
    """Its unit is another one there."""
    world.hosts[host].write("/etc/systemd/system/worker.service.d/later.conf", "[Service]\nNice=5\n")
    world.hosts[host].run("systemctl", "daemon-reload")


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


def test_it_is_approved_once_held_on_every_host_and_lifted_from_all_of_them(world: World) -> None:
    waiting = ask_group_hold(world)
    card = world.card(waiting)
    assert card.startswith("MASK worker.service on 2 hosts of @web · needs 1 approval")
    assert "*Later*  hosts that join @web are held too; where a plan differs, people are asked first" in card

    done = world.approve(waiting)
    assert statuses(world, done) == dict.fromkeys(WEB, TargetStatus.DONE)
    assert [is_masked(world, host) for host in (*WEB, "db-01")] == [True, True, False]
    card = world.card(done)
    assert card.startswith("MASKED AND PROVEN ON 2 HOSTS, HELD")
    assert "*Held*  by @sre, next review" in card
    assert "[Undo all] [Keep] [Details]" in card
    review = done.hold and done.hold.review
    assert [one.aftercare.remind_at for one in (done, *targets(world, done).values())] == [review, None, None]

    refused = world.undo(done, by=ALICE)
    assert refused.because.endswith("nobody else lifts it. Somebody of @sre must ask."), refused.because
    again = selection("@web")
    lifts = world.until_answered(world.ask(Verb.UNMASK, "worker", host="@web", by=BOB, selection=again))
    assert lifts.ask.undoes == done.id
    assert set(statuses(world, world.approve(lifts, by=CAROL)).values()) == {TargetStatus.DONE}
    assert world.store.get(done.id).undone_by == lifts.id
    assert [state(world.hosts[host], UNIT) for host in WEB] == [RUNS, RUNS]


def test_a_host_that_is_away_at_the_time_is_held_once_it_is_back(world: World) -> None:
    unreachable = Away(world, "web-02")
    asked = ask_group_hold(world)
    assert "Left out*  web-02: " in world.card(asked)
    done = world.approve(asked)
    asked_anew = until_there(world, done, TargetStatus.PLANNING, "web-02")
    pending = world.when(asked_anew, lambda now: bool(now.target.note), "a hold that is pending")
    assert "stays pending until web-02 answers" in world.note(done, "pending")
    assert world.card(done).startswith("1 OF 2 MASKED AND PROVEN · 1 being checked")
    unreachable.comes_back()
    world.store.make_due(pending.id)
    assert until_there(world, done, TargetStatus.DONE, "web-02").target.outcome is Outcome.PROVEN
    assert world.card(done).startswith("MASKED AND PROVEN ON 2 HOSTS, HELD")
    assert world.approve(world.undo(done, by=BOB), by=CAROL).rollout
    assert not any(is_masked(world, host) for host in WEB)


def test_a_host_that_joins_by_a_reload_is_held_at_once_where_its_plan_is_as_approved(world: World) -> None:
    done = hold_group(world)
    edit(world, "db-01")
    reload(world, *WEB, "db-01")
    differs = until_there(world, done, TargetStatus.ASKED_AGAIN, "db-01")
    assert not is_masked(world, "db-01")
    told = world.note(done, "The plan for worker.service on db-01 differs from what was approved for this hold")
    assert all(one.id.user in told for one in (BOB, CAROL))
    (card,) = world.slack.marked(f"{differs.id}:card")
    assert card.thread == world.store.card(done.id)[1]
    world.vote(differs, by=BOB)
    assert until_there(world, done, TargetStatus.DONE, "db-01").target.outcome is Outcome.PROVEN
    assert is_masked(world, "db-01")


def test_a_host_with_the_same_plan_joins_without_a_vote_and_leaves_with_the_others(world: World) -> None:
    done = hold_group(world)
    reload(world, *WEB, "db-01")
    joined = until_there(world, done, TargetStatus.DONE, "db-01")
    assert (joined.target.outcome, joined.counted_votes) == (Outcome.PROVEN, ())
    assert world.card(done).startswith("MASKED AND PROVEN ON 3 HOSTS, HELD")
    lift(world, done)
    assert not any(is_masked(world, host) for host in (*WEB, "db-01"))


def test_a_hold_grows_no_further_than_one_request_may_and_its_owners_hear_of_it_once(world: World) -> None:
    done = hold_group(world)
    reload(world, *WEB, "db-01", limits=replace(world.in_force.policy.limits, targets=len(WEB)))
    world.note(done, "does not go to 1 more target: it has as many as one request may have (2)")
    assert not is_masked(world, "db-01")


def test_what_approvers_deny_on_one_host_is_left_to_them(world: World) -> None:
    done = hold_group(world)
    edit(world, "db-01")
    reload(world, *WEB, "db-01")
    asked = until_there(world, done, TargetStatus.ASKED_AGAIN, "db-01")
    world.vote(asked, Verdict.DENY)
    until_there(world, done, TargetStatus.SKIPPED, "db-01")
    world.clock.ahead += 2 * DAY
    turned(world, done)
    assert part(world, done, "db-01").id == asked.id
    assert statuses(world, done)["db-01"] is TargetStatus.SKIPPED


def test_where_the_policy_asks_for_more_people_are_asked(world: World) -> None:
    done = hold_group(world)
    strict = Rule("strict", host_groups=frozenset({"web"}), ask=frozenset({"eng"}), approve=("sre",), need=2)
    reload(world, *WEB, "db-01", rules=(*HELD.rules, strict))
    joined = until_there(world, done, TargetStatus.ASKED_AGAIN, "db-01")
    assert joined.approval and (joined.approval.rule, joined.approval.need) == ("strict", 2)
    assert state(world.hosts["db-01"], UNIT) == RUNS


def refused_on_db(world: World, whole: Request) -> Request:
    """A third host joins, on which a critical unit needs the one that is held."""
    dear = (*HELD.critical, ListedUnit("dear.service", "dear to us"))
    needs = "[Unit]\nRequires=worker.service\n[Service]\nExecStart=sleep 9999\n"
    world.hosts["db-01"].write("/etc/systemd/system/dear.service", needs)
    world.hosts["db-01"].run("systemctl", "daemon-reload")
    world.hosts["db-01"].run("systemctl", "start", "dear.service")
    reload(world, *WEB, "db-01", critical=dear)
    return until_there(world, whole, TargetStatus.LEFT_OUT, "db-01")


def test_a_hold_that_pauses_before_its_last_wave_goes_on_like_any_rollout(world: World) -> None:
    reload(world, *WEB, "db-01")
    hold = Hold("sre", (world.clock.now() + 90 * DAY).replace(microsecond=0))
    chosen = selection("@web", units=("worker",), waves=("1", "1", "rest"))
    asked = world.until_answered(world.ask_mask("worker", host="@web", hold=hold, selection=chosen))
    refuse(world, "web-02")
    world.vote(asked)
    assert world.follow_up(paused(world, asked), FollowupKind.GO_ON, by=BOB).tally is Tally.COUNTED
    over = world.until_final(asked)
    assert statuses(world, over)["db-01"] is TargetStatus.DONE
    assert "resumed the rollout" in world.note(over, "resumed the rollout")


def test_only_those_who_may_steer_it_have_it_tried_at_once_where_it_is_missing(world: World) -> None:
    done = hold_group(world)
    with pytest.raises(UsageError, match="nothing to try again here"):
        world.desk.rollouts.retry_failed(done.id, caller(ALICE, "early"))
    refused = refused_on_db(world, done)
    turned(world, done)
    world.desk.rollouts.retry_failed(done.id, caller(DAVE, "dave"))
    world.until(lambda: bool(world.slack.whispers), "an answer to dave")
    assert world.store.get(done.id).followups[-1].tally is Tally.REFUSED
    assert part(world, done, "db-01").id == refused.id
    world.desk.rollouts.retry_failed(done.id, caller(ALICE, "alice"))
    world.until(lambda: part(world, done, "db-01").id != refused.id, "another try")
    assert "alice asked the bot to try again now: worker.service on db-01." in world.note(done, "try again now")
    until_there(world, done, TargetStatus.LEFT_OUT, "db-01")


def test_what_is_refused_on_one_host_is_told_once_and_tried_again_ever_more_rarely(world: World) -> None:
    done = hold_group(world)
    refused = refused_on_db(world, done)
    assert "dear.service depends on worker.service and is on the critical list" in refused.because
    for _ in range(2):
        turned(world, done)
    assert "worker.service is not held on db-01. " in world.note(done, "is not held on db-01")
    assert part(world, done, "db-01").id == refused.id  # not asked for at every turn

    world.clock.ahead += timedelta(hours=2)
    turned(world, done)
    world.when(done, lambda _: part(world, done, "db-01").id != refused.id, "another try")
    until_there(world, done, TargetStatus.LEFT_OUT, "db-01")
    assert len(notes(world, done, "is not held on db-01")) == 1
    world.hosts["db-01"].run("systemctl", "stop", "dear.service")
    world.hosts["db-01"].run("rm", "/etc/systemd/system/dear.service")
    world.hosts["db-01"].run("systemctl", "daemon-reload")
    reload(world, *WEB, "db-01")  # whatever is missing is tried at once by another policy
    until_there(world, done, TargetStatus.DONE, "db-01")


def test_what_is_taken_off_one_host_is_put_back_there_and_still_lifted_with_the_whole(world: World) -> None:
    done = hold_group(world)
    other = part(world, done)
    remove_by_hand(world, other)
    back = world.until_final(
        world.store.get(world.when(other, lambda now: bool(now.repeated_by), "a mask").repeated_by)
    )
    assert back.target.outcome is Outcome.PROVEN, back.because
    assert until_there(world, done, TargetStatus.DONE, "web-02").id == back.id
    assert "is masked again by its hold" in world.note(done, "masked again")
    assert "A HOLD WAS TAKEN OFF: worker.service on web-02" in world.note(done, "TAKEN OFF")
    lift(world, done)
    assert [state(world.hosts[host], UNIT) for host in WEB] == [RUNS, RUNS]


def test_what_the_bot_may_not_put_back_is_asked_for_with_the_button_of_the_whole(world: World) -> None:
    reload(world, *WEB, holds=replace(HELD.holds, reapply=False))
    done = hold_group(world)
    remove_by_hand(world, part(world, done))
    until_there(world, done, TargetStatus.LOST, "web-02")
    assert "use Retry failed only on the card of the hold" in world.note(done, "TAKEN OFF")
    assert world.card(done).startswith("1 OF 2 MASKED AND PROVEN · 1 taken off since")
    assert "[Undo all] [Retry failed only] [Keep] [Details]" in world.card(done)
    world.desk.rollouts.retry_failed(done.id, caller(ALICE, "retry"))
    (again,) = (one for one in world.requests() if one.ask.repeats)
    assert world.approve(world.until_answered(again)).target.outcome is Outcome.PROVEN
    assert until_there(world, done, TargetStatus.DONE, "web-02").id == again.id
    lift(world, done)
    assert [state(world.hosts[host], UNIT) for host in WEB] == [RUNS, RUNS]


def test_its_owners_may_lift_it_on_one_host_and_it_does_not_come_back_there(world: World) -> None:
    done = hold_group(world)
    other = part(world, done)
    assert world.undo(other, by=ALICE).stage is Stage.REFUSED
    with pytest.raises(UsageError, match="held with worker.service on 2 hosts of @web: use Keep on the card of that"):
        world.desk.extensions.mask_to_keep(other.id)
    assert lift(world, other).target.outcome is Outcome.RESTORED
    turned(world, done)
    turned(world, done)
    assert (part(world, done).id, statuses(world, done)["web-02"]) == (other.id, TargetStatus.UNDONE)
    assert state(world.hosts["web-02"], UNIT) == RUNS
    assert world.store.get(done.id).hold is not None


def test_a_host_that_is_away_when_it_is_lifted_is_given_back_once_it_answers(world: World) -> None:
    done = hold_group(world)
    unreachable = Away(world, "web-02")
    lifted = lift(world, done)
    assert statuses(world, lifted) == {"web-01": TargetStatus.DONE, "web-02": TargetStatus.LEFT_OUT}
    late = world.when(done, lambda now: now.aftercare.overdue != "", "an end that is overdue")
    assert late.hold is None
    assert "*Overdue*" in world.card(late)
    asked = len(world.requests())
    world.clock.ahead += timedelta(minutes=1)
    world.store.make_due(done.id)
    world.when(done, lambda now: now.aftercare.tries > late.aftercare.tries, "another try")
    assert len(world.requests()) == asked  # while no host answers, none is made
    unreachable.comes_back()
    world.clock.ahead += timedelta(minutes=6)
    world.store.make_due(done.id)
    world.when(done, lambda now: bool(now.undone_by), "the end on the other host")
    assert [state(world.hosts[host], UNIT) for host in WEB] == [RUNS, RUNS]


def test_a_host_that_joins_while_people_decide_to_lift_it_is_given_back_as_well(world: World) -> None:
    done = hold_group(world)
    lifts = world.undo(done, by=BOB)
    reload(world, *WEB, "db-01")
    until_there(world, done, TargetStatus.DONE, "db-01")
    assert set(statuses(world, world.approve(lifts, by=CAROL))) == {*WEB}
    gone = world.when(done, lambda now: bool(now.undone_by), "the end on the other host")
    assert world.store.get(gone.undone_by).ask.by_itself
    assert not any(is_masked(world, host) for host in (*WEB, "db-01"))


def test_what_triggers_a_unit_of_a_set_comes_first_on_a_host_that_joins(world: World) -> None:
    hold = Hold("sre", (world.clock.now() + 90 * DAY).replace(microsecond=0))
    chosen = selection("@web", units=("beat",), with_triggers=True)
    done = world.approve(world.until_answered(world.ask_mask("beat", host="@web", hold=hold, selection=chosen)))
    reload(world, *WEB, "db-01")
    world.until(lambda: is_masked(world, "db-01", "beat.service"), "the whole set on the host that joins")
    masked = [call.unit for call in world.wire.calls if (call.host, call.verb) == ("db-01", "mask")]
    assert masked == ["beat.timer", "beat.service"]
    world.when(done, lambda now: set(statuses(world, now).values()) == {TargetStatus.DONE}, "all of it")
    assert world.card(done).startswith("MASKED AND PROVEN ON 3 HOSTS, HELD")


def test_all_of_it_is_reviewed_and_kept_at_once(world: World) -> None:
    done = hold_group(world)
    world.clock.ahead += 91 * DAY
    world.store.make_due(done.id)
    assert "The hold of worker.service on 2 hosts of @web has been due for review" in world.note(done, "for review")
    later = (world.clock.now() + 30 * DAY).replace(microsecond=0)
    kept = world.until_final(world.desk.extensions.keep(done.id, "still needed", caller(BOB, "keep"), review=later))
    assert kept.target.outcome is Outcome.EXTENDED, kept.because
    now = world.store.get(done.id)
    assert (now.hold and now.hold.review, now.aftercare.remind_at) == (later, later)
    reload(world, *WEB, "db-01")
    joined = until_there(world, done, TargetStatus.DONE, "db-01")
    assert joined.ask.change.hold == now.hold


def held_later(world: World) -> tuple[Request, Hold]:
    """Masks of a rollout that were to end after two hours, and became a hold."""
    two_hours = Duration(lasts=timedelta(hours=2))
    done = world.approve(world.until_answered(ask_rollout(world, "@web", waves=("rest",), duration=two_hours)))
    hold = Hold("sre", (world.clock.now() + 90 * DAY).replace(microsecond=0))
    asked = world.until_answered(world.desk.extensions.hold(done.id, hold, "it is evil", caller(ALICE, "hold")))
    card = world.card(asked)
    assert card.startswith("HOLD THE MASK OF worker.service on 2 hosts of @web · needs 1 approval"), card
    assert "*Later*  hosts that join @web are held too; where a plan differs, people are asked first" in card
    assert world.approve(asked).target.outcome is Outcome.EXTENDED
    return world.store.get(done.id), hold


def test_masks_of_a_rollout_become_one_hold_that_only_its_owners_lift(world: World) -> None:
    held, hold = held_later(world)
    assert (held.hold, held.aftercare.expires_at, held.undo_until) == (hold, None, None)
    made = targets(world, held)
    assert [(one.hold, one.undo_until) for one in made.values()] == [(hold, None)] * 2
    assert "[Undo all] [Keep] [Details]" in world.card(held)
    mark_held(world.deps, held, by="r9")  # as after a crash in between
    assert targets(world, held) == made
    for refused in (world.undo(held, by=ALICE), world.unmask("worker", host="web-01", by=ALICE)):
        assert refused.because.endswith("nobody else lifts it. Somebody of @sre must ask."), refused.because
    lift(world, held)
    world.until(lambda: not any(is_masked(world, host) for host in WEB), "its end everywhere")


def test_masks_that_became_a_hold_outlive_their_end_and_go_to_hosts_that_join(world: World) -> None:
    held, hold = held_later(world)
    world.clock.ahead += timedelta(hours=3)
    reload(world, *WEB, "db-01")
    joined = until_there(world, held, TargetStatus.DONE, "db-01")
    assert (joined.approval, joined.ask.change.hold, joined.ask.change.duration) == (None, hold, None)
    remove_by_hand(world, part(world, held))
    again = world.when(held, lambda now: part(world, now).ask.is_reapply, "a mask that is put back")
    until_there(world, again, TargetStatus.DONE, "web-02")
    assert all(is_masked(world, host) for host in (*WEB, "db-01"))
    lift(world, held)
    world.until(lambda: not any(is_masked(world, host) for host in (*WEB, "db-01")), "its end everywhere")


def test_the_kill_switch_holds_those_that_join(world: World) -> None:
    done = hold_group(world)
    world.desk.kill_switch.request(caller(BOB, "freeze"), turns_off=False, reason="stop")
    world.until(lambda: active_kill_switch(world.deps, done) is not None, "the kill switch")
    reload(world, *WEB, "db-01")
    turned(world, done)
    assert "db-01" not in statuses(world, done)


def test_a_turn_that_is_lost_asks_for_nothing_twice(idle_world: World) -> None:
    world = idle_world
    world.in_force.put(ConfigSnapshot(grouped(world.hosts, *WEB), HELD))
    with world.running():
        done = hold_group(world)
        before = world.store.get(done.id).rollout
        reload(world, *WEB, "db-01")
        joined = until_there(world, done, TargetStatus.DONE, "db-01")
    forgotten = world.store.get(done.id)
    world.store.save(replace(forgotten, rollout=before and replace(before, joins_at=world.clock.now())))
    with world.running():
        until_there(world, done, TargetStatus.DONE, "db-01")
    assert [one.id for one in world.store.find(Query(host="db-01"))] == [joined.id]


def test_a_host_in_two_groups_is_held_until_neither_is(world: World) -> None:
    web = hold_group(world)
    both = tuple(replace(host, groups=host.groups | {"all"}) for host in grouped(world.hosts, *WEB).hosts)
    put_in_force(world.deps, ConfigSnapshot(Inventory(both), HELD))
    everywhere = hold_group(world, group="@all")
    assert statuses(world, everywhere)["db-01"] is TargetStatus.DONE
    lift(world, web)
    world.when(web, lambda now: set(statuses(world, now).values()) == {TargetStatus.UNDONE}, "the end of the first")
    world.clock.ahead += timedelta(hours=2)
    turned(world, everywhere)
    world.until(lambda: all(is_masked(world, host) for host in WEB), "the other's turn")
    world.when(everywhere, lambda now: set(statuses(world, now).values()) == {TargetStatus.DONE}, "all of it")
    lift(world, everywhere)
    world.until(lambda: not any(is_masked(world, host) for host in (*WEB, "db-01")), "the end of both")
