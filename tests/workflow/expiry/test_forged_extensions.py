"""A later end needs its approval like a mask: also where nothing is sent to a host, the events have to confirm it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.core.people.identity import Person, PersonId
from bot.core.policy.groups import Group
from bot.core.requests import Duration, Request, Stage
from bot.errors import Stale, Unverified
from bot.ports import Claim
from bot.workflow.engine.life_cycle import life_of_request
from bot.workflow.engine.settle import settle
from tests.workflow.forger import Forger, told
from tests.workflow.slack import ALICE, People, caller
from tests.workflow.world import World


class AwayAtTheStart(People):
    """Slack is away from the moment in which a request is approved until it is said to be back."""

    world: World | None = None

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        if self.world and any(one.stage is Stage.APPROVED for one in self.world.requests()):
            raise Unverified("Slack did not say who that is.")
        return super().person(person, groups)


@pytest.fixture
def changed_deps() -> dict[str, object]:
    return {"people": AwayAtTheStart()}


def approved(world: World) -> tuple[Request, Request]:
    """A mask, and a request to keep it that is approved and waits for Slack."""
    done = world.masked("cron", duration=Duration(lasts=timedelta(hours=1)))
    assert isinstance(world.people, AwayAtTheStart)
    world.people.world = world
    longer = world.until_answered(world.desk.extensions.keep(done.id, "still leaks", caller(ALICE, "k")))
    world.vote(longer)
    return done, world.when(longer, lambda now: now.stage is Stage.APPROVED, "its approval")


def test_a_later_end_that_was_withdrawn_is_not_given(idle_world: World, forger: Forger) -> None:
    """Its rows and their seals are the bot's own, from before."""
    world = idle_world
    with world.running():
        done, longer = approved(world)
        kept = forger.copy(longer.id)
        world.desk.withdraw(longer.id, by=ALICE.id)
        assert world.until_final(longer).stage is Stage.WITHDRAWN
    forger.put_back(longer.id, kept)
    world.people.world = None  # type: ignore[attr-defined]
    with world.running():
        world.until_final(longer)
        assert world.store.get(done.id).aftercare.expires_at == done.aftercare.expires_at
        assert told(world, "was set back to an earlier state")


def taken(world: World) -> tuple[Request, Claim]:
    """A mask, and the claim of a bot that works alone on the request to keep it, while Slack is there again."""
    with world.running():
        done, longer = approved(world)
    world.people.world = None  # type: ignore[attr-defined]
    world.store.make_due(longer.id)
    while claim := world.store.claim("bot-1"):
        if claim.request.id == longer.id:
            return done, claim
    raise AssertionError(f"{longer.id} is not due")


def test_one_that_is_withdrawn_just_after_it_was_given_is_given(idle_world: World) -> None:
    """A bot has written it into the mask, and is about to say so."""
    world, (done, claim) = idle_world, taken(idle_world)
    life = life_of_request(world.deps, claim, lambda: False)
    result = next(life)
    while isinstance(result, Request):
        result = life.send(result)
    world.desk.withdraw(claim.request.id, by=ALICE.id)
    with pytest.raises(Stale):
        settle(world.deps, claim, result)
    world.store.release(claim, due_at=world.clock.now())
    with world.running():
        assert world.until_final(claim.request).stage is Stage.DONE
    assert world.store.get(done.id).aftercare.expires_at is None


def test_one_that_is_withdrawn_just_before_it_is_given_is_not(idle_world: World) -> None:
    world, (done, claim) = idle_world, taken(idle_world)
    world.desk.withdraw(claim.request.id, by=ALICE.id)
    world.store.release(claim, due_at=world.clock.now())
    with world.running():
        assert world.until_final(claim.request).stage is Stage.WITHDRAWN
    assert world.store.get(done.id).aftercare.expires_at == done.aftercare.expires_at


def test_one_that_waited_is_given(idle_world: World) -> None:
    """What the other rests on."""
    world = idle_world
    with world.running():
        done, longer = approved(world)
        world.people.world = None  # type: ignore[attr-defined]
        world.until_final(longer)
        assert world.store.get(done.id).aftercare.expires_at is None
