"""A rollout to sixty hosts: its card and its thread stay within Slack's limits, and few edits say how far it is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.requests import FollowupKind, RolloutRule, Stage, TargetStatus
from tests.lab.slack.blockrules import MESSAGE_TOTAL, check, total
from tests.model.hosts import ModelHost, ModelHosts
from tests.workflow.fleet import Fleet
from tests.workflow.rollout.rolled import rolled_out, statuses, targets, touched
from tests.workflow.slack import ALICE
from tests.workflow.world import POLICY, World

SIXTY = tuple(f"web-{number:02}" for number in range(60))


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    """More hosts than anybody boots; each is made anew by whoever changed it."""
    hosts = {name: ModelHost(name) for name in SIXTY}
    return Fleet(hosts, ModelHosts(hosts), lambda: None)


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    (rule,) = POLICY.rules
    return {"policy": replace(POLICY, rules=(replace(rule, rollout=RolloutRule(pause=timedelta(hours=1))),))}


def test_sixty_targets_have_one_card_and_those_that_never_began_end_with_their_rollout(world: World) -> None:
    asked = rolled_out(world, *SIXTY, waves=("10", "rest"))
    assert asked.stage is Stage.WAITING, asked.because
    world.vote(asked)
    world.when(asked, lambda now: bool(now.rollout and now.rollout.wave_ended_at), "its pause")
    world.follow_up(asked, FollowupKind.STOP_HERE, by=ALICE)
    over = world.until_final(asked)
    world.card(over)
    ends = [*statuses(world, over).values()]
    assert (ends.count(TargetStatus.DONE), ends.count(TargetStatus.SKIPPED)) == (10, 50)
    assert touched(world) == {*SIXTY[:10]}
    world.when(over, lambda now: bool(now.rollout and now.rollout.is_closed), "the end of the others")
    assert sum(one.stage is Stage.CANCELLED for one in targets(world, over).values()) == 50
    for said in world.slack.messages.values():
        assert not said.text.blocks or check([*said.text.blocks]) == []
        assert total([*said.text.blocks]) <= MESSAGE_TOTAL
    assert len(world.slack.marked(f"{over.id}:card")) == 1
    assert len(world.slack.messages) < 10
