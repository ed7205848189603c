"""Holds: they last, only their owners lift them, and what is taken off is put back or announced."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.people.identity import Person
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Hold, Loss, Outcome, Request, Stage, Tally
from bot.core.requests.expiry import AftercarePolicy
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.people.membership import person, read_groups
from bot.workflow.queries.home import gather_home
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.drift.test_watch import turn
from tests.workflow.expiry.test_expire import MASKED, RUNS, Away, state
from tests.workflow.slack import ALICE, BOB, CAROL, caller
from tests.workflow.world import POLICY, World

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HELD = replace(POLICY, holds=HoldPolicy(frozenset({"sre"}), reapply_limit=2))
CARE = AftercarePolicy(
    expiry_retry_first=timedelta(seconds=0.1), expiry_retry_longest=timedelta(seconds=1), aftercheck=()
)


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """Where `@sre` may own holds."""
    return {"policy": HELD, "aftercare": CARE}


@pytest.fixture
def watched(world: World) -> World:
    """Every host was looked at once."""
    schedule_configured(world.deps)
    world.until(
        lambda: all(view.seen_at for view in read_mask_inventory(world.deps).host_views), "a look at every host"
    )
    return world


def hold(world: World, *, review: timedelta = 90 * DAY) -> Hold:
    return Hold("sre", (world.clock.now() + review).replace(microsecond=0))


def hold_mask(world: World, unit: str = "worker", **options: Any) -> Request:
    done = world.masked(unit, hold=hold(world), **options)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    return done


def remove_by_hand(world: World, mask: Request) -> None:
    """Somebody takes it off by hand, and the watch sees that."""
    world.hosts[mask.target.host].run("systemctl", "unmask", str(mask.target.unit))
    turn(world, mask.target.host)


def back_again(world: World, mask: Request) -> Request:
    """The request that has put it back."""
    gone = world.when(mask, lambda now: bool(now.repeated_by), "a hold that is put back")
    return world.until_final(world.store.get(gone.repeated_by))


def lift(world: World, mask: Request, *, by: Person = BOB, approver: Person = CAROL) -> Request:
    asked = world.undo(mask, by=by)
    assert asked.stage is Stage.WAITING, asked.because
    return world.approve(asked, by=approver)


def test_only_its_owners_lift_it_with_a_vote_and_all_is_as_before(world: World) -> None:
    done = hold_mask(world)
    card = world.card(done)
    assert "*Held*  by @sre, next review" in card
    assert "Only @sre can lift it, with approval." in card
    assert "[Unmask] [Keep] [Details]" in card
    assert (done.aftercare.expires_at, done.undo_until) == (None, None)
    groups = read_groups(world.deps)
    host_views = [gather_home(world.deps, person(world.deps, one.id, groups), groups) for one in (ALICE, CAROL)]
    assert [[mask.id for mask in view.masks] for view in host_views] == [
        [done.id],
        [done.id],
    ]  # whose it is, and an owner's

    refused = world.undo(done, by=ALICE)
    assert refused.stage is Stage.REFUSED
    assert refused.because == (
        "worker.service on web-01 is held by @sre, and nobody else lifts it. Somebody of @sre must ask."
    )
    assert world.unmask("worker").because == refused.because
    assert state(world.hosts["web-01"], "worker.service") == MASKED

    back = lift(world, done)
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    assert state(world.hosts["web-01"], "worker.service") == RUNS


def test_what_is_taken_off_is_put_back_the_usual_way_and_lifting_still_restores_what_was_first(watched: World) -> None:
    world = watched
    done = hold_mask(world)
    waits = world.undo(done, by=BOB)  # somebody is about to lift it
    remove_by_hand(world, done)

    again = back_again(world, done)

    assert again.target.outcome is Outcome.PROVEN, (again.because, again.target.note)
    assert state(world.hosts["web-01"], "worker.service") == MASKED
    assert (again.counted_votes, again.owner, again.because) == ((), ALICE.id, "approved with the hold")
    assert (again.hold, again.hold_state.reapplied_at) == (done.hold, (again.finished_at,))
    assert "A HOLD WAS TAKEN OFF: worker.service on web-01, which @sre holds" in world.note(done, "TAKEN OFF")
    assert world.card(done).startswith("MASKED AND PROVEN, MASKED AGAIN SINCE")
    assert "Masked again by its hold" in world.card(again)
    assert [one.id for one in world.store.find(Query(live_masks=True))] == [again.id]

    back = world.approve(waits, by=CAROL)
    assert back.ask.undoes == again.id
    assert back.target.outcome is Outcome.RESTORED, back.target.note
    assert state(world.hosts["web-01"], "worker.service") == RUNS


def test_what_is_taken_off_again_and_again_is_not_fought_for_ever(watched: World) -> None:
    world = watched
    mask = hold_mask(world)
    for _ in range(2):
        remove_by_hand(world, mask)
        mask = back_again(world, mask)
    remove_by_hand(world, mask)

    rests = world.when(mask, lambda now: now.paging is not None and now.paging.paged_at is not None, "a page")
    assert rests.hold_state.try_at == mask.hold_state.reapplied_at[0] + timedelta(hours=1)
    assert "KEEPS BEING REMOVED: the bot masked it again twice, and pauses until" in world.note(
        mask, "KEEPS BEING REMOVED"
    )
    assert world.card(rests).startswith("HELD, BUT TAKEN OFF · worker.service on web-01")
    assert "[Mask again] [Unmask] [Keep] [Details]" in world.card(rests)
    assert state(world.hosts["web-01"], "worker.service")["LoadState"] == "loaded"

    world.clock.ahead += timedelta(hours=1)
    world.store.wake()
    assert back_again(world, mask).target.outcome is Outcome.PROVEN
    world.when(mask, lambda now: now.paging is None, "the word that it is over")


@pytest.mark.parametrize(
    "changed_deps",
    [{"policy": replace(HELD, holds=replace(HELD.holds, reapply=False)), "aftercare": CARE}],
    ids=["announce"],
)
def test_a_policy_can_have_it_announced_only(watched: World) -> None:
    world = watched
    done = hold_mask(world)
    remove_by_hand(world, done)

    off = world.when(done, lambda now: now.hold_state.loss is Loss.REMOVED, "a hold that is off")
    assert off.hold_state.try_at is None
    assert "The bot does not mask it again: use Mask again on its card." in world.note(done, "TAKEN OFF")
    world.until(lambda: "*Taken off*" in world.card(off), "that on the card")
    world.clock.ahead += DAY
    world.store.wake()
    assert "is still not in force: its mask is not on the host." in world.note(done, "is still not in force")
    world.clock.ahead += timedelta(minutes=15)  # the first approval is not good any more
    asked = world.until_answered(world.desk.mask_again(done.id, caller(ALICE, secrets.token_hex(8))))
    again = world.approve(asked)
    assert (again.target.outcome, again.hold) == (Outcome.PROVEN, done.hold)
    assert world.store.get(done.id).repeated_by == again.id

    remove_by_hand(world, again)
    off = world.when(again, lambda now: now.hold_state.loss is Loss.REMOVED, "a hold that is off")
    assert world.undo(off, by=ALICE).stage is Stage.REFUSED
    gone = lift(world, off)
    assert gone.target.outcome is Outcome.NOT_OURS
    assert world.store.get(again.id).hold is None


def test_its_owners_are_called_on_its_review_day_until_they_keep_it(world: World) -> None:
    done = hold_mask(world)

    def keep(by: Person, days: int = 30) -> Request:
        review, key = world.clock.now() + timedelta(days=days), secrets.token_hex(8)
        asked = world.desk.extensions.keep(done.id, "still needed", caller(by, key), review=review)
        return world.until_answered(asked)

    world.clock.ahead += 90 * DAY
    world.store.wake()
    assert "has been due for review since" in world.note(done, "due for review since")
    world.clock.ahead += DAY
    world.store.wake()
    world.when(done, lambda now: now.aftercare.reminders == 2, "a second word")

    assert keep(ALICE).because.endswith("is held by @sre, and nobody else keeps it. Somebody of @sre must ask.")
    assert keep(BOB, 400).because == "A hold must be reviewed within 180 days. " + (
        "Say when its owners review it: `--review 90d`."
    )
    kept = keep(BOB)
    assert kept.target.outcome is Outcome.EXTENDED
    now = world.store.get(done.id)
    assert (now.aftercare.reminders, now.hold) == (0, Hold("sre", now.aftercare.extensions[-1].until or now.asked_at))
    world.until(lambda: "*Kept*  by " in world.card(now), "that on the card")
    assert world.card(kept).startswith("HOLD KEPT")
    with pytest.raises(UsageError, match="Say when"):
        world.desk.extensions.keep(done.id, "why", caller(BOB, "k"))


def test_a_host_that_is_away_is_waited_for_before_people_are_asked_and_after(world: World) -> None:
    unreachable = Away(world)
    asked = world.ask_mask("worker", hold=hold(world))
    world.when(asked, lambda now: now.target.note == "web-01 does not answer.", "a hold that is pending")
    assert "The hold stays pending" in world.ephemeral(ALICE, "pending")
    world.until(lambda: unreachable.tries > 3, "more tries")
    assert world.store.get(asked.id).stage is Stage.ASKED
    unreachable.comes_back()
    waiting = world.until_answered(asked)
    assert (waiting.stage, waiting.target.note) == (Stage.WAITING, "")

    unreachable = Away(world)
    world.vote(waiting)
    pending = world.when(waiting, lambda now: now.target.note != "", "a hold that is pending")
    assert (pending.stage, pending.act_by) == (
        Stage.APPROVED,
        pending.ask.change.hold and pending.ask.change.hold.review,
    )
    world.until(lambda: "*Not yet*  web-01 does not answer." in world.card(pending), "that on the card")
    world.clock.ahead += 3 * DAY
    unreachable.comes_back()
    world.store.make_due(pending.id)
    assert world.until_final(pending).target.outcome is Outcome.PROVEN


def test_people_are_asked_anew_when_the_unit_is_another_once_the_host_is_back(world: World) -> None:
    waiting = world.mask("worker", hold=hold(world))
    unreachable = Away(world)
    world.vote(waiting)
    pending = world.when(waiting, lambda now: now.target.note != "", "a hold that is pending")
    world.hosts["web-01"].write("/etc/systemd/system/worker.service.d/nice.conf", "[Service]\nNice=5\n")
    world.hosts["web-01"].run("systemctl", "daemon-reload")
    unreachable.comes_back()
    world.store.make_due(pending.id)
    anew = world.when(pending, lambda now: now.stage is Stage.WAITING, "a new question")
    assert any("drop-ins" in change for change in anew.changed_since)
    assert [vote.tally for vote in anew.votes] == [Tally.COUNTED]
    assert anew.counted_votes == ()
