"""A configuration that takes another one's place: what waits is judged by it, and of both the stricter wins."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.people.identity import Person
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.model import Rule
from bot.core.requests import Approval, Ask, Change, Outcome, Request, Stage, Target, Verb
from bot.core.systemd.units import Layer, UnitName
from bot.errors import StoreBusy
from bot.workflow.engine.config_reload import put_in_force, record_configuration, reject_configuration
from tests.workflow.approval.test_count_votes import is_masked, is_untouched, just_before_acting
from tests.workflow.lifecycle.test_dead_ends import NoHost
from tests.workflow.slack import ALICE, BOB, CAROL, INCIDENT
from tests.workflow.world import POLICY, World

WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")
(PROD,) = POLICY.rules
TWO = replace(PROD, need=2)
MINUTE = timedelta(minutes=1)


def reload(world: World, *rules: Rule, hosts: Inventory | None = None, digest: str = "1" * 64, **changed: Any) -> None:
    """Other files are in force."""
    policy = replace(world.deps.in_force.policy, rules=rules or POLICY.rules, digest=digest, **changed)
    put_in_force(world.deps, ConfigSnapshot(hosts or world.deps.in_force.inventory, policy))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A running bot; nothing in these stories goes to a host."""
    policy = replace(POLICY, operations_channel="COPS")
    url = f"sqlite:///{tmp_path}/maskbot.db"
    one = World({}, url, ways=NoHost(), inventory=Inventory((WEB,)), policy=policy)
    with one.store.exclusive(), one.running():
        yield one
    one.answers.close()


def waiting(world: World, rule: Rule = PROD, *, by: Person = ALICE) -> Request:
    """Asked by the policy in force a minute ago, and waiting for votes since."""
    asked = world.clock.now() - MINUTE
    ask = Ask(Change(Verb.MASK, "web-01", UnitName("cron.service")), by.id, by.name, INCIDENT)
    on_host = Target("web-01", UnitName("cron.service"), Layer.PERSISTENT, "0123456789abcdef")
    approval = Approval(
        rule.name, rule.need, rule.approve, asked + 15 * MINUTE, policy=world.deps.in_force.policy.digest
    )
    request = Request("r1", "key", ask, asked, on_host, Stage.WAITING, approval=approval)
    return world.store.add(replace(request, due_at=approval.approve_by), events=[])[0]


def judged(world: World, request: Request) -> Request:
    """The request once the policy in force has had its say."""

    def is_judged(now: Request) -> bool:
        return now.stage.is_final or bool(now.approval and now.approval.policy == world.deps.in_force.policy.digest)

    return world.when(request, is_judged, "a judgement")


def test_a_policy_that_asks_for_more_is_asked_for_at_once_and_votes_stand(world: World) -> None:
    asked = waiting(world)
    reload(world, TWO)
    now = judged(world, asked)
    assert (now.stage, now.approval and now.approval.need) == (Stage.WAITING, 2)
    assert world.card(asked).startswith("MASK cron.service on web-01 · needs 2 approvals")

    world.vote(asked, by=BOB)
    now = world.when(asked, lambda now: len(now.counted_votes) == 1, "a vote")
    assert now.stage is Stage.WAITING


def test_a_policy_that_asks_for_less_changes_nothing_for_what_waits(world: World) -> None:
    reload(world, TWO)
    asked = waiting(world, TWO)
    reload(world, PROD, digest="2" * 64)
    now = judged(world, asked)
    assert now.approval
    assert (now.approval.need, now.approval.at_least) == (2, 2)
    world.vote(asked, by=BOB)
    now = world.when(asked, lambda now: len(now.counted_votes) == 1, "a vote")
    assert now.stage is Stage.WAITING


@pytest.mark.fault("F69", how="a policy that forbids it, in force while the request waits")
def test_a_policy_that_forbids_it_ends_it_and_says_so(world: World, saw: Callable[[str], str]) -> None:
    asked = waiting(world)
    reload(world, PROD, Rule("payday", forbid="payroll runs"))
    ended = world.until_final(asked)
    assert ended.stage is Stage.REFUSED
    assert saw(ended.because) == "The policy changed while this waited. Rule `payday` forbids it: payroll runs."


@pytest.mark.fault("F73", how="a host removed from hosts.yaml while a request waits for approval")
def test_a_host_that_is_removed_takes_its_requests_along(world: World, saw: Callable[[str], str]) -> None:
    asked = waiting(world)
    reload(world, hosts=Inventory(()))
    ended = world.until_final(asked)
    assert (ended.stage, "There is no host `web-01`" in saw(ended.because)) == (Stage.CANCELLED, True)


def test_who_may_ask_no_more_has_nothing_waiting_any_more(world: World) -> None:
    asked = waiting(world)
    reload(world, replace(PROD, ask=frozenset({"dba"})))
    assert "You may not ask" in world.until_final(asked).because


def test_a_shorter_time_to_decide_ends_sooner(world: World) -> None:
    asked = waiting(world)
    reload(world, replace(PROD, approve_within=timedelta(seconds=30)))
    assert world.until_final(asked).stage is Stage.TIMED_OUT


def test_while_slack_says_nothing_about_people_no_vote_counts_for_less(world: World) -> None:
    reload(world, TWO)
    asked = waiting(world, TWO)
    world.people.silent.add(ALICE.id)
    reload(world, PROD, digest="2" * 64)
    world.vote(asked, by=BOB)
    assert "did not say" in world.ephemeral(BOB, "did not say")
    world.people.silent.clear()
    world.vote(asked, by=BOB)
    now = world.when(asked, lambda now: len(now.counted_votes) == 1, "a vote")
    assert (now.stage, now.approval and now.approval.need) == (Stage.WAITING, 2)


def test_what_waited_while_the_bot_was_away_is_judged_by_the_files_it_starts_with(world: World) -> None:
    asked = waiting(world)
    world.in_force.put(ConfigSnapshot(world.deps.in_force.inventory, replace(POLICY, rules=(TWO,), digest="1" * 64)))
    record_configuration(world.deps)
    now = judged(world, asked)
    assert now.approval
    assert now.approval.need == 2
    assert [event["type"] for event in world.store.chain()][:1] == ["config.loaded"]


def test_the_channel_is_told_what_is_new_and_the_record_goes_by_it(world: World) -> None:
    reload(world, TWO, Rule("stage", forbid="no"))
    (event,) = world.store.chain()
    assert (event["type"], event["outcome"], event["config_digest"]) == ("config.loaded", "success", "1" * 64)
    assert event["data"] | {"digest": "", "digest_before": ""} == {
        "digest": "",
        "digest_before": "",
        "changed": ["rule stage is new", "rule prod changed"],
        "hosts": 1,
        "rules": 2,
    }
    world.until(lambda: bool(world.slack.messages), "an announcement")
    (said,) = world.slack.messages.values()
    assert (said.channel, "reloaded (digest 111111111111)" in said.text.text) == ("COPS", True)
    assert "• rule stage is new" in said.text.text


def test_what_says_the_same_is_on_record_as_no_change(world: World) -> None:
    reload(world, digest=POLICY.digest)
    assert [event["outcome"] for event in world.store.chain()] == ["no_change"]


def test_what_is_wrong_in_the_files_is_told_and_nothing_changes(world: World) -> None:
    reject_configuration(world.deps, ["policy.yaml:7: rules[0]: needs `ask` <!channel>"])
    (event,) = world.store.chain()
    assert (event["type"], event["outcome"], event["config_digest"]) == ("config.rejected", "failure", "")
    world.until(lambda: bool(world.slack.messages), "an announcement")
    (said,) = world.slack.messages.values()
    assert "NOT reloaded: the old one stays in force (digest 000000000000)" in said.text.text
    assert "policy.yaml:7: rules[0]: needs `ask` &lt;!channel&gt;" in said.text.text


def test_what_cannot_be_recorded_is_not_in_force(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise StoreBusy("The database did not answer.")

    monkeypatch.setattr(world.store, "record", busy)
    with pytest.raises(StoreBusy):
        reload(world, TWO)
    assert world.deps.in_force.policy.rules == (PROD,)


def test_a_piece_of_work_sees_one_configuration_from_its_beginning_to_its_end(world: World) -> None:
    work, newest = world.deps.pinned().in_force, world.deps.in_force
    reload(world, TWO, hosts=Inventory(()))
    assert (work.policy.rules, work.inventory.names) == ((PROD,), ("web-01",))
    assert (newest.policy.rules, newest.inventory.names) == ((TWO,), ())


class TestOnHosts:
    """F69: the policy is replaced right before acting, after the votes."""

    def test_more_approvals_are_asked_for_and_those_there_stand(self, idle_world: World) -> None:
        world, host = idle_world, idle_world.hosts["web-01"]
        with world.running():
            asked = world.mask("tuned")
            with just_before_acting(world, "tuned.service", lambda: reload(world, TWO)):
                world.vote(asked, by=BOB)
                anew = world.when(asked, lambda now: bool(now.changed_since), "a second question")
            assert (anew.stage, anew.changed_since) == (Stage.WAITING, ("how many must approve: 1 → 2",))
            assert is_untouched(host, "tuned.service")
            assert "how many must approve: 1 → 2" in world.card(anew)

            done = world.approve(anew, by=CAROL)
            assert (done.target.outcome, len(done.counted_votes)) == (Outcome.PROVEN, 2)
            assert is_masked(host, "tuned.service")

    @pytest.mark.fault(
        "F69", how="a policy that forbids it, in force between the approvals and the check before acting"
    )
    def test_what_is_forbidden_now_does_not_run(self, idle_world: World, saw: Callable[[str], str]) -> None:
        world, host = idle_world, idle_world.hosts["web-01"]
        with world.running():
            asked = world.mask("tuned")
            no = Rule("payday", forbid="payroll runs")
            with just_before_acting(world, "tuned.service", lambda: reload(world, PROD, no)):
                world.vote(asked, by=BOB)
                ended = world.until_final(asked)
            assert (ended.stage, "payroll runs" in saw(ended.because)) == (Stage.REFUSED, True)
            assert is_untouched(host, "tuned.service")

    def test_an_undo_goes_on_also_where_masks_are_forbidden_now(self, idle_world: World) -> None:
        world, host = idle_world, idle_world.hosts["web-01"]
        with world.running():
            done = world.masked("tuned")
            reload(world, Rule("no", verbs=frozenset({Verb.MASK}), forbid="payroll runs"))
            assert world.undo(done).target.outcome is Outcome.RESTORED
            assert is_untouched(host, "tuned.service")
