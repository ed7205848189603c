"""Observe mode: a whole request, of which nothing reaches the host."""

from dataclasses import replace

from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Stage
from tests.workflow.lifecycle.test_outcome_unknown import is_untouched
from tests.workflow.world import POLICY, World


def test_what_was_approved_ends_with_what_would_have_been_done_and_each_card_says_so(world: World) -> None:
    world.in_force.put(ConfigSnapshot(world.deps.in_force.inventory, replace(POLICY, observe=True)))
    asked = world.mask("cron")
    world.vote(asked)
    done = world.until_final(asked)

    assert done.stage is Stage.REFUSED
    assert "It would have stopped and masked cron.service on web-01 (persistent)." in done.because
    assert is_untouched(world.hosts["web-01"], "cron.service")
    assert world.wire.verbs("web-01") == []
    world.until(lambda: "only observes" in world.slack.marked(f"{asked.id}:card")[0].text.text, "the end on its card")
    card = world.slack.marked(f"{asked.id}:card")[0].text.text
    assert "OBSERVE MODE: nothing is changed on any host" in card
    assert "OBSERVED · mask cron.service on web-01" in card, card
