"""`keep_active` of the policy's rules: enough hosts go on running each unit, whatever else takes it away meanwhile."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.input.grammar import Question, parse
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Duration, KeepActive, Outcome, Request, RolloutRule, Stage, TargetStatus, Verb
from bot.core.systemd.units import UnitName
from bot.workflow.hosts.keep_active import count_active
from handlers import cli_queries
from tests.workflow.rollout.rolled import HOSTS, rolled_out, statuses, targets, touched
from tests.workflow.slack import ALICE, caller
from tests.workflow.wire import LOOK, Call
from tests.workflow.world import POLICY, World, inventory

DONE = TargetStatus.DONE
ONE_AT_A_TIME = ("1", "1", "rest")
BOTH_DATABASES = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    return {"policy": keeping(1)}


def keeping(at_least: int, **said: Any) -> Any:
    (rule,) = POLICY.rules
    kept = replace(rule, rollout=RolloutRule(keep_active=KeepActive("web", at_least), **said))
    return replace(POLICY, rules=(kept,), digest=f"{at_least}" * 64)


@pytest.fixture
def world(world: World) -> World:
    web = tuple(replace(host, groups=frozenset({"web"})) for host in inventory(world.hosts).hosts)
    world.in_force.put(ConfigSnapshot(Inventory(web), world.in_force.policy))
    return world


def waits(world: World, asked: Request) -> str:
    now = world.when(asked, lambda now: bool(now.rollout and now.rollout.waits_for), "a reason to wait")
    return now.rollout.waits_for if now.rollout else ""


def test_a_plan_that_would_leave_too_few_is_refused_with_the_count(world: World) -> None:
    refused = rolled_out(world, *HOSTS)
    assert refused.stage is Stage.REFUSED
    counted = "worker.service must stay active on 1 host of @web. It is active on 3 now, and this would leave 0"
    assert counted in refused.because


def test_a_question_before_it_is_answered_as_the_request_would_be(world: World) -> None:
    answer = typed_question(world, "plan web-01,web-02,db-01 worker")
    assert "would leave 0" in answer["refused"]
    assert [one["decision"]["answer"] for one in answer["targets"]] == ["needs_approval"] * 3
    assert typed_question(world, "plan web-01,web-02 worker")["refused"] is None
    assert typed_question(world, "plan web-01 worker")["decision"]["answer"] == "needs_approval"
    for host in ("web-02", "db-01"):
        world.hosts[host].run("systemctl", "stop", "worker")
    why = typed_question(world, "why web-01 worker")
    assert why["decision"]["code"] == "too_few_active"
    assert [one["step"] for one in why["explained"] if one["decides"]] == ["enough hosts keep it active"]
    assert typed_question(world, "plan web-01 worker --keep-running")["decision"]["answer"] == "needs_approval"


def typed_question(world: World, text: str) -> Any:
    """The answer as data to a question about masking, as it is typed."""
    question = parse(Verb.MASK, text, world.desk.places, world.desk.now)
    assert isinstance(question, Question)
    return cli_queries.answer(world.deps, question, caller(ALICE))["answer"]


def test_the_next_one_waits_while_another_is_down_since(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02")
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    world.vote(asked)
    assert waits(world, asked) == "worker.service must stay active on 1 host of @web, and is active on only 1"
    assert touched(world) == {"web-01"}
    world.hosts["db-01"].run("systemctl", "start", "worker")
    assert set(statuses(world, world.until_final(asked)).values()) == {DONE}


def test_each_unit_of_a_rollout_is_counted(world: World) -> None:
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    refused = rolled_out(world, "web-01", "web-02", units=("tuned", "worker"))
    assert refused.stage is Stage.REFUSED
    assert "worker.service must stay active on 1 host of @web. It is active on 2 now" in refused.because
    world.hosts["db-01"].run("systemctl", "start", "worker")


def test_the_same_unit_by_another_rollout_and_by_a_single_request_is_counted(world: World) -> None:
    first, second = rolled_out(world, "web-01", "db-01", waves=ONE_AT_A_TIME), rolled_out(world, "web-02")
    world.vote(second)
    world.until_final(second)
    world.vote(first)  # it was planned while three ran
    assert waits(world, first).endswith("and is active on only 1")
    assert touched(world) == {"web-01", "web-02"}
    world.until_final(world.undo(second))
    assert set(statuses(world, world.until_final(first)).values()) == {DONE}


def test_what_is_just_being_stopped_elsewhere_counts_as_gone(world: World) -> None:
    """A single request has begun, and has stopped nothing yet."""
    worker, seen = UnitName("worker.service"), list[frozenset[str]]()

    def count(call: Call) -> None:
        if (call.host, call.verb) == ("web-02", "probe"):
            for counts in (lambda _: True, lambda _: False):
                rules, wanted = (KeepActive("web", 2),), [("web-01", worker)]
                (found,), _ = count_active(world.deps, rules, wanted, counts=counts)
                seen.append(found.active)

    world.wire.before.append(count)
    world.approve(world.until_answered(world.ask_mask("worker", host="web-02")))
    assert seen == [{"web-01", "db-01"}, {"web-01", "web-02", "db-01"}]
    (down,), _ = count_active(world.deps, (KeepActive("web", 2),), [("web-01", worker)], begun={("db-01", worker)})
    assert down.active == {"web-01"}


def test_of_two_targets_that_people_approved_by_their_own_cards_one_waits_for_the_other(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02")
    for host in ("web-01", "web-02"):
        world.hosts[host].write("/etc/systemd/system/worker.service.d/later.conf", "[Service]\nNice=5\n")
        world.hosts[host].run("systemctl", "daemon-reload")
    world.vote(asked)
    again = {TargetStatus.ASKED_AGAIN}
    world.when(asked, lambda now: set(statuses(world, now).values()) == again, "cards of their own")
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    for one in targets(world, asked).values():
        world.vote(one)
    world.when(asked, lambda now: DONE in statuses(world, now).values(), "the first one")
    (second,) = (one for one in targets(world, asked).values() if not one.stage.is_final)
    world.when(second, lambda now: now.stage is Stage.APPROVED and "is active on only 1" in now.target.note, "a reason")
    assert len(touched(world)) == 1
    world.hosts["db-01"].run("systemctl", "start", "worker")
    assert set(statuses(world, world.until_final(asked)).values()) == {DONE}


@BOTH_DATABASES
def test_of_two_rollouts_that_count_at_the_same_moment_one_waits(world: World) -> None:
    """Each counts before the other has begun, and the replica that begins the first has a slow clock."""
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    first, second = rolled_out(world, "web-01"), rolled_out(world, "web-02")
    one, other, counting = targets(world, first)["web-01"], targets(world, second)["web-02"], list[Request]()

    def meanwhile(call: Call) -> None:
        if LOOK not in call.argv or call.unit != "worker.service":
            return
        if call.host == "web-02" and not counting:
            counting.append(first)
            world.vote(second)
            world.until(lambda: second in counting, "the count of the second rollout")
        elif call.host == "web-01" and counting == [first] and world.store.get(other.id).stage is Stage.APPROVED:
            world.clock.ahead -= timedelta(minutes=1)
            counting.append(second)
            world.when(one, lambda now: now.begun_at is not None, "the first one's change")

    world.wire.after.append(meanwhile)
    world.vote(first)
    world.when(other, lambda now: "is active on only 1" in now.target.note, "a reason to wait")
    assert touched(world) == {"web-01"}
    world.hosts["db-01"].run("systemctl", "start", "worker")
    assert {
        *statuses(world, world.until_final(first)).values(),
        *statuses(world, world.until_final(second)).values(),
    } == {DONE}


def test_a_single_request_that_would_leave_too_few_is_refused_with_the_count(world: World) -> None:
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    world.masked("worker", host="web-02")
    refused = world.mask("worker", host="web-01")
    assert (refused.stage, refused.target.before is not None) == (Stage.REFUSED, True)
    assert "stay active on 1 host of @web. It is active on 1 now, and this would leave 0." in refused.because
    assert world.mask("worker", host="db-01").stage is Stage.WAITING  # it is down there already
    assert world.masked("worker", host="web-01", keep_running=True).target.outcome is Outcome.PROVEN
    world.hosts["db-01"].run("systemctl", "start", "worker")


def test_of_two_single_requests_the_one_that_was_approved_first_goes_on_and_the_other_says_why_it_waits(
    world: World,
) -> None:
    world.in_force.put(replace(world.in_force.now, policy=keeping(2)))
    first, second = world.mask("worker", host="web-02"), world.mask("worker", host="web-01")
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    for one, active in ((first, 2), (second, 1)):
        world.vote(one)
        why = f"worker.service must stay active on 2 hosts of @web, and is active on only {active}."
        world.when(one, lambda now, why=why: now.target.note == why, "a reason to wait")  # type: ignore[misc]
        assert why in world.card(one)
    world.hosts["db-01"].run("systemctl", "start", "worker")
    assert world.until_final(first).target.outcome is Outcome.PROVEN
    world.when(second, lambda now: now.target.note.endswith("is active on only 2."), "a reason to wait")
    world.until_final(world.undo(first))
    assert world.until_final(second).target.outcome is Outcome.PROVEN


def test_a_single_request_that_waited_in_vain_says_why_when_its_approval_ends(world: World) -> None:
    waits_in_vain, cover = world.mask("worker", host="web-01"), ("web-02", "db-01")
    for host in cover:
        world.hosts[host].run("systemctl", "stop", "worker")
    world.vote(waits_in_vain)
    world.when(waits_in_vain, lambda now: bool(now.target.note), "a reason to wait")
    world.clock.ahead += timedelta(minutes=11)
    over = world.until_final(waits_in_vain)
    assert (over.stage, touched(world)) == (Stage.TIMED_OUT, set())
    assert over.because.endswith("worker.service must stay active on 1 host of @web, and is active on only 1.")
    for host in cover:
        world.hosts[host].run("systemctl", "start", "worker")


def test_it_ends_with_its_time_though_one_of_it_still_waits(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02", duration=Duration(lasts=timedelta(hours=1)))
    world.hosts["db-01"].run("systemctl", "stop", "worker")
    world.vote(asked)
    waits(world, asked)
    world.clock.ahead += timedelta(hours=1, minutes=1)
    over = world.until_final(asked)
    assert statuses(world, over) == {"web-01": DONE, "web-02": TargetStatus.SKIPPED}
    gone = world.when(over, lambda now: bool(now.undone_by), "its end")
    assert set(statuses(world, world.until_final(world.store.get(gone.undone_by))).values()) == {DONE}
    assert touched(world) == {"web-01"}
    world.hosts["db-01"].run("systemctl", "start", "worker")


def test_what_a_newer_policy_keeps_holds_for_the_waves_to_come(world: World) -> None:
    asked = rolled_out(world, "web-01", "web-02", waves=ONE_AT_A_TIME)

    def reload(call: Call) -> None:
        if (call.host, call.verb) == ("web-01", "mask"):
            world.in_force.put(replace(world.in_force.now, policy=keeping(2, waves=("rest",))))

    world.wire.after.append(reload)
    world.vote(asked)
    second = targets(world, asked)["web-02"]
    world.when(second, lambda now: "on 2 hosts of @web, and is active on only 2" in now.target.note, "a reason to wait")
    now = world.store.get(asked.id)
    assert now.rollout and [one.wave for one in now.rollout.targets] == [1, 2]  # the waves are those that were approved
    assert touched(world) == {"web-01"}
    world.in_force.put(replace(world.in_force.now, policy=keeping(1)))
    assert set(statuses(world, world.until_final(asked)).values()) == {DONE}
