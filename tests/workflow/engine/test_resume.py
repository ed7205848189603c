"""What is left in the middle, or has to wait, is taken up again where it stands."""

from dataclasses import replace
from time import monotonic

import pytest

from bot.core.requests import Outcome, Stage
from bot.errors import LostClaim
from bot.workflow.engine.workers import advance
from tests.workflow.slack import ALICE
from tests.workflow.wire import Call
from tests.workflow.world import QUICK, World


@pytest.mark.fault("F56", how="the bot is stopped in the middle of a change")
def test_a_bot_that_is_told_to_stop_leaves_after_the_step_in_hand_and_the_next_one_goes_on(idle_world: World) -> None:
    with idle_world.running():
        asked = idle_world.mask("slowstop", host="web-02")
        idle_world.vote(asked)
        idle_world.when(asked, lambda now: any(sent.step == "stop" for sent in now.target.sent), "a stop")
        began = monotonic()
    assert monotonic() - began < 5, "slowstop itself takes six seconds"
    left = idle_world.store.get(asked.id)
    assert left.stage is Stage.RUNNING
    with idle_world.running():
        done = idle_world.until_final(asked)
        assert done.target.outcome is Outcome.PROVEN
        assert [sent.step for sent in done.target.sent] == ["probe", "stop", "link", "reload", "try-start"]
        idle_world.card(done)


def test_whoever_lost_the_claim_to_another_replica_saves_nothing(idle_world: World) -> None:
    with idle_world.running():
        asked = idle_world.mask("cron")
        idle_world.card(asked)
    idle_world.vote(asked)
    claim = idle_world.store.claim("bot-1")
    assert claim is not None
    with pytest.raises(LostClaim):
        advance(idle_world.deps, replace(claim, fence=claim.fence - 1))
    assert idle_world.store.get(asked.id) == claim.request


SOON = {"timings": replace(QUICK, not_verified=0.1)}


@pytest.mark.parametrize("changed_deps", [SOON], ids=["asked again soon"])
def test_an_approved_request_waits_while_slack_does_not_say_who_is_who(world: World) -> None:
    asked = world.mask("cron")
    looks: list[Call] = []

    def silence(call: Call) -> None:
        """From the look before acting on: the vote was counted, and now nobody can be asked about."""
        looks.append(call)
        world.people.silent.add(ALICE.id)

    world.wire.before.append(silence)
    world.vote(asked)
    world.until(lambda: len(looks) > 2, "more than one try to begin")
    assert world.store.get(asked.id).stage is Stage.APPROVED
    world.wire.before.remove(silence)
    world.people.silent.clear()
    assert world.until_final(asked).target.outcome is Outcome.PROVEN
