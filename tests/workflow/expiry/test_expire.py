"""Masks that end: brought back when due, exactly, whatever happened to bot, host, Slack and unit meanwhile."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.people.identity import ITSELF, Person
from bot.core.requests import Duration, Outcome, Request, Stage
from bot.core.requests.expiry import AftercarePolicy
from bot.errors import HostError
from bot.ports import Query
from tests.workflow.fleet import AnyHost
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, caller
from tests.workflow.wire import LOOK, Call
from tests.workflow.world import POLICY, World

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SHOWN = ("LoadState", "ActiveState", "UnitFileState")
RUNS = dict(zip(SHOWN, ("loaded", "active", "enabled"), strict=True))
MASKED = dict(zip(SHOWN, ("masked", "inactive", "masked"), strict=True))
TWO_HOURS = Duration(lasts=2 * HOUR)


def state(host: AnyHost, unit: str) -> dict[str, str]:
    return host.show(unit, *SHOWN)


def returns(world: World, mask: Request) -> list[Request]:
    """What the bot asked for by itself, newest first."""
    return [one for one in world.store.find(Query(requester=ITSELF)) if one.ask.undoes == mask.id]


def ended(world: World, mask: Request) -> Request:
    """The undo that came by itself, once it is over."""
    world.when(mask, lambda now: bool(now.undone_by), "an end by itself")
    (newest, *_) = returns(world, mask)
    return world.until_final(newest)


class Away:
    """A host that does not answer for a while."""

    def __init__(self, world: World) -> None:
        self.tries = 0
        self._world = world
        world.wire.before.append(self._refuse)

    def _refuse(self, call: Call) -> None:
        self.tries += 1
        raise HostError(f"{call.host} does not answer.", code="ssh_unreachable", passing=True)

    def comes_back(self) -> None:
        self._world.wire.before.remove(self._refuse)


def test_it_comes_back_by_itself_exactly_as_it_was_and_nobody_is_asked(world: World) -> None:
    host = world.hosts["web-01"]
    done = world.masked("worker", duration=TWO_HOURS)
    assert done.target.outcome is Outcome.PROVEN
    assert done.aftercare.expires_at == done.finished_at + 2 * HOUR if done.finished_at else False
    assert state(host, "worker.service") == MASKED
    card = world.card(done)
    assert "*Expires*  " in card
    assert "[Unmask] [Extend] [Keep] [Details]" in card

    world.clock.ahead += 2 * HOUR
    back = ended(world, done)

    assert back.target.outcome is Outcome.RESTORED, back.target.note
    assert (back.ask.requester, back.counted_votes) == (ITSELF, ())
    assert back.because == "time is up. Undone automatically, as approved"
    assert [state(host, unit) for unit in ("worker.service", "metrics.service")] == [RUNS, RUNS]
    assert "Time is up. Undone automatically, as approved" in world.card(back)
    assert len(returns(world, done)) == 1
    assert world.store.get(done.id).due_at is None


def test_it_does_not_come_a_minute_early(world: World) -> None:
    done = world.masked("restless", duration=TWO_HOURS)
    world.clock.ahead += 2 * HOUR - MINUTE
    world.when(done, lambda now: now.aftercare.looks > 0, "a look after the change")
    assert returns(world, done) == []
    assert state(world.hosts["web-01"], "restless.service") == MASKED


def test_a_bot_that_was_down_when_it_was_due_brings_it_back_when_it_runs_again(idle_world: World) -> None:
    world = idle_world
    with world.running():
        done = world.masked("tuned", duration=TWO_HOURS)
    world.clock.ahead += 9 * HOUR
    assert state(world.hosts["web-01"], "tuned.service") == MASKED
    with world.running():
        assert ended(world, done).target.outcome is Outcome.RESTORED
    assert state(world.hosts["web-01"], "tuned.service") == RUNS


def test_two_who_find_it_due_at_once_make_one_undo(idle_world: World) -> None:
    world = idle_world
    with world.running():
        done = world.masked("restless", duration=TWO_HOURS)
    world.clock.ahead += 2 * HOUR
    with world.running(), world.running():
        ended(world, done)
    assert len(returns(world, done)) == 1


@pytest.mark.parametrize(
    "changed_deps", [{"aftercare": AftercarePolicy(expiry_retry_first=timedelta(seconds=0.1), aftercheck=())}]
)
def test_a_host_that_is_away_is_tried_again_and_everybody_can_see_it(world: World) -> None:
    done = world.masked("restless", duration=TWO_HOURS)
    away = Away(world)
    world.clock.ahead += 2 * HOUR
    overdue = world.when(done, lambda now: bool(now.aftercare.overdue), "a mask that is overdue")
    assert overdue.aftercare.overdue == "web-01 does not answer."
    world.until(lambda: "web-01 does not answer. Next try " in world.card(overdue), "that on the card")
    assert "it is still there. web-01 does not answer." in world.direct(ALICE, "should have expired")
    assert returns(world, done) == []
    world.until(lambda: away.tries > 3, "more tries")
    assert [record["type"] for record in world.store.records()].count("mask.overdue") == 1

    away.comes_back()  # the clock stays: a try under way would fail, and be followed by none for minutes
    assert ended(world, done).target.outcome is Outcome.RESTORED
    assert state(world.hosts["web-01"], "restless.service") == RUNS


@pytest.mark.parametrize(
    "changed_deps", [{"aftercare": AftercarePolicy(expiry_retry_first=timedelta(seconds=0.1), aftercheck=())}]
)
def test_a_host_that_goes_away_in_the_middle_is_tried_again_from_the_start(world: World) -> None:
    done = world.masked("restless", duration=TWO_HOURS)
    lost: list[Call] = []
    looks = 1 + len(world.deps.timings.retries)

    def goes_away(call: Call) -> None:
        if LOOK in call.argv and returns(world, done) and len(lost) < looks:
            lost.append(call)
            raise HostError("web-01 does not answer.", code="ssh_unreachable", passing=True)

    world.wire.before.append(goes_away)
    world.clock.ahead += 2 * HOUR
    world.when(done, lambda now: now.aftercare.tries > 0, "a second try")
    world.clock.ahead += 5 * MINUTE
    assert ended(world, done).target.outcome is Outcome.RESTORED
    assert [one.stage for one in returns(world, done)] == [Stage.DONE, Stage.REFUSED]


def test_slack_may_be_away_when_it_is_due(world: World) -> None:
    done = world.masked("restless", duration=TWO_HOURS)
    world.card(done)
    world.people.silent |= set(world.people.people)
    world.slack.trouble = "unreachable"
    world.clock.ahead += 2 * HOUR
    assert ended(world, done).target.outcome is Outcome.RESTORED
    world.slack.trouble = ""
    world.people.silent.clear()


def test_what_somebody_masked_anew_is_left_alone_and_its_owner_is_asked(world: World) -> None:
    host = world.hosts["web-01"]
    done = world.masked("restless", duration=TWO_HOURS)
    host.run("systemctl", "unmask", "restless.service")
    host.run("systemctl", "mask", "restless.service")
    world.clock.ahead += 2 * HOUR

    back = ended(world, done)
    assert back.target.outcome is Outcome.NOT_OURS
    assert state(host, "restless.service")["LoadState"] == "masked"
    assert "was left in place, because it is not as the bot left it" in world.direct(ALICE, "Time is up")
    assert "[Unmask] [Details]" in world.card(back)

    asked = world.undo(back)
    assert (asked.stage, asked.ask.undoes) == (Stage.WAITING, "")
    assert "the mask, not made by maskbot" in world.card(asked)
    assert world.approve(asked).target.outcome is Outcome.UNMASKED


def test_what_somebody_unmasked_is_not_started(world: World) -> None:
    host = world.hosts["web-01"]
    done = world.masked("restless", duration=TWO_HOURS)
    host.run("systemctl", "unmask", "restless.service")
    world.clock.ahead += 2 * HOUR
    back = ended(world, done)
    assert back.target.outcome is Outcome.NOT_OURS
    assert state(host, "restless.service")["ActiveState"] == "inactive"
    assert "[Details]" in world.card(back)
    assert "[Unmask]" not in world.card(back)


def test_an_unmask_by_hand_takes_the_end_along(world: World) -> None:
    done = world.masked("restless", duration=TWO_HOURS)
    assert world.undo(done, by=BOB).target.outcome is Outcome.RESTORED
    assert world.store.get(done.id).due_at is None
    world.clock.ahead += 3 * HOUR
    assert returns(world, done) == []


class TestExtending:
    """A later end, or none any more: decided like a mask, and nothing is done to the host."""

    def extended(self, world: World, mask: Request, by: timedelta, *, who: Person = ALICE) -> Request:
        key = secrets.token_hex(8)
        asked = world.desk.extensions.extend(mask.id, Duration(lasts=by), caller(who, key))
        return world.until_answered(asked)

    def keep(self, world: World, mask: Request, *, who: Person = ALICE) -> Request:
        key = secrets.token_hex(8)
        return world.until_answered(world.desk.extensions.keep(mask.id, "for ever", caller(who, key)))

    def test_its_requester_extends_it_once_by_its_length_and_then_asks(self, world: World) -> None:
        host = world.hosts["web-01"]
        done = world.masked("restless", duration=TWO_HOURS)
        sent = len(world.wire.verbs())
        longer = self.extended(world, done, 2 * HOUR)
        assert (longer.stage, longer.target.outcome) == (Stage.DONE, Outcome.EXTENDED), longer.because
        assert world.card(longer).startswith("EXTENDED · restless.service on web-01")
        assert len(world.wire.verbs()) == sent
        mask = world.store.get(done.id)
        assert done.aftercare.expires_at
        assert mask.aftercare.expires_at == done.aftercare.expires_at.replace(microsecond=0) + 2 * HOUR
        world.until(lambda: "*Extended*  by <@UALICE>" in world.card(mask), "that on the mask's card")

        world.clock.ahead += 2 * HOUR + 30 * MINUTE
        again = self.extended(world, mask, HOUR, who=BOB)
        assert again.stage is Stage.WAITING
        assert "*Then*  it expires " in world.card(again)
        assert returns(world, done) == []
        assert state(host, "restless.service") == MASKED

        approved = world.approve(again, by=CAROL)
        assert approved.target.outcome is Outcome.EXTENDED
        world.clock.ahead += 2 * HOUR
        assert world.store.get(done.id).undone_by == ""
        world.clock.ahead += HOUR
        assert ended(world, done).target.outcome is Outcome.RESTORED

    def test_who_may_not_ask_for_masks_extends_none(self, world: World) -> None:
        done = world.masked("restless", duration=TWO_HOURS)
        refused = self.extended(world, done, HOUR, who=DAVE)
        assert (refused.stage, "may not ask" in refused.because) == (Stage.REFUSED, True)
        assert world.store.get(done.id).aftercare == done.aftercare
        assert self.extended(world, done, HOUR, who=CAROL).stage is Stage.WAITING

    def test_a_mask_is_kept_with_the_approvals_of_one_without_an_end(self, world: World) -> None:
        done = world.masked("restless", duration=TWO_HOURS)
        asked = self.keep(world, done)
        assert asked.stage is Stage.WAITING
        assert "KEEP THE MASK OF restless.service on web-01 · needs 1 approval" in world.card(asked)
        kept = world.approve(asked)
        assert kept.target.outcome is Outcome.EXTENDED
        assert "KEPT, WITHOUT EXPIRY" in world.card(kept)
        world.clock.ahead += 3 * HOUR
        mask = world.when(done, lambda now: now.aftercare.look_at is None, "the looks after it")
        assert (mask.aftercare.expires_at, mask.undone_by) == (None, "")
        assert returns(world, done) == []
        assert "[Unmask] [Set an expiry] [Keep] [Details]" in world.card(mask)
        assert world.undo(mask).target.outcome is Outcome.RESTORED

    def test_an_end_that_is_not_approved_in_time_comes_all_the_same(self, world: World) -> None:
        done = world.masked("restless", duration=Duration(lasts=10 * MINUTE))
        asked = self.keep(world, done)
        world.clock.ahead += 10 * MINUTE
        assert ended(world, done).target.outcome is Outcome.RESTORED
        world.vote(asked)
        assert "maskbot no longer has a mask here" in world.ephemeral(BOB, "that expires")

    def test_a_host_that_is_away_is_kept_from_coming_back_with_its_unit_running(self, world: World) -> None:
        done = world.masked("restless", duration=TWO_HOURS)
        away = Away(world)
        world.clock.ahead += 2 * HOUR
        overdue = world.when(done, lambda now: bool(now.aftercare.overdue), "a mask that is overdue")
        assert self.extended(world, overdue, HOUR).target.outcome is Outcome.EXTENDED
        away.comes_back()
        mask = world.store.get(done.id)
        assert (mask.aftercare.overdue, mask.aftercare.try_at) == ("", None)
        assert state(world.hosts["web-01"], "restless.service") == MASKED
        world.clock.ahead += HOUR + MINUTE
        assert ended(world, done).target.outcome is Outcome.RESTORED

    @pytest.mark.parametrize(
        "changed_deps", [{"policy": replace(POLICY, rules=(replace(POLICY.rules[0], requires_expiry=True),))}]
    )
    def test_where_the_policy_wants_an_end_none_is_kept_and_none_made_without(self, world: World) -> None:
        refused = world.mask("restless")
        assert "does not allow masks without expiry" in refused.because
        done = world.masked("restless", duration=TWO_HOURS)
        assert "does not allow masks without expiry" in self.keep(world, done).because


def test_an_unmask_by_hand_that_is_under_way_when_it_is_due_is_left_to_itself(idle_world: World) -> None:
    world = idle_world
    with world.running():
        done = world.masked("restless", duration=TWO_HOURS)
    mine = world.begin_undo(done)
    world.clock.ahead += 2 * HOUR
    with world.running():
        assert world.until_final(mine).target.outcome is Outcome.RESTORED
        assert world.when(done, lambda now: bool(now.undone_by), "its undo").undone_by == mine.id
    assert returns(world, done) == []
    assert world.store.get(done.id).aftercare.overdue == ""


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_it_comes_back_by_itself_with_postgresql_as_well(idle_world: World) -> None:
    world = idle_world
    with world.running():
        done = world.masked("restless", duration=TWO_HOURS)
    world.clock.ahead += 2 * HOUR
    with world.running(), world.running():
        assert ended(world, done).target.outcome is Outcome.RESTORED
    assert len(returns(world, done)) == 1
