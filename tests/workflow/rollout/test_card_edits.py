"""One card, edited at a slow pace however many targets and people change it, and up to date in the end."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.requests import FollowupKind, Request, RolloutRule
from bot.workflow import Workers
from tests.workflow.rollout.rolled import HOSTS, rolled_out
from tests.workflow.slack import ALICE
from tests.workflow.world import EDITS_APART, POLICY, World


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    (rule,) = POLICY.rules
    return {"policy": replace(POLICY, rules=(replace(rule, rollout=RolloutRule(pause=timedelta(hours=1))),))}


def pauses(world: World, request: Request) -> list[float]:
    """Between two edits of the card, in seconds."""
    (card,) = world.slack.marked(f"{request.id}:card")
    return [later - one for one, later in itertools.pairwise(card.times)]


def test_what_people_wait_for_keeps_the_pace_too(world: World) -> None:
    """With a second replica, which edits as soon as it may."""
    another = Workers(world.deps, owner="bot-2")
    another.start()
    try:
        asked = rolled_out(world, *HOSTS, waves=("1", "rest"))
        world.vote(asked)
        world.when(asked, lambda now: bool(now.rollout and now.rollout.wave_ended_at), "its pause")
        for kind in (FollowupKind.PAUSE, FollowupKind.GO_ON):
            world.follow_up(asked, kind, by=ALICE)
        done = world.until_final(asked)
        world.card(done)
        world.until_final(world.undo(done))
        world.card(done)
    finally:
        another.stop()
    assert len(pauses(world, done)) >= 3
    assert min(pauses(world, done)) >= EDITS_APART.total_seconds()
