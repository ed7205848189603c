"""Somebody pulls the kill switch: nothing new is masked, everything that undoes a mask goes on, two let it go."""

import pytest

from tests.stories.scene import RUNS, Story, words
from tests.stories.test_cli import maskbot

pytestmark = [pytest.mark.slack, pytest.mark.ssh]


def announced(story: Story, part: str) -> str:
    """What everybody in the channel was told, once these words are there."""
    said = story.until(lambda: [text for one in story.messages() if part in (text := words(one))], f"`{part}`")
    return said[-1]


def test_new_masks_are_stopped_by_one_and_go_on_by_two(story: Story) -> None:
    masked = story.masked("web-01 tuned")
    waiting = story.asks("/mask web-01 cron")

    story.types("bob", "/mask freeze it masks the wrong hosts")
    assert "KILL SWITCH ON, by bob: it masks the wrong hosts." in announced(story, "KILL SWITCH ON")
    story.until(lambda: "Kill switch  on, by bob" in words(story.card("MASK cron.service")), "the card saying so")

    story.types("alice", "/mask web-02 restless")
    assert "by bob: it masks the wrong hosts." in story.ephemeral("alice", "The kill switch has been on since")
    story.presses("carol", "Approve", waiting)
    story.ephemeral("carol", "The kill switch has been on since")
    assert story.sees("cron.service") == RUNS
    assert story.sees("restless.service", "web-02") == RUNS
    story.types("alice", "/mask list")
    assert "tuned.service on web-01" in story.ephemeral("alice", "KILL SWITCH ON, by @bob")

    story.presses("alice", "Unmask", masked)
    story.card("UNMASKED, AS BEFORE · tuned.service on web-01")
    assert story.sees("tuned.service") == RUNS

    _two_let_them_go_on(story)
    story.until(lambda: "Kill switch" not in words(story.card("MASK cron.service")), "the card forgetting it")
    story.presses("alice", "Withdraw", waiting)
    story.presses("alice", "Withdraw", story.asks("/mask web-02 restless"))
    story.card("WITHDRAWN · mask restless.service")


def _two_let_them_go_on(story: Story) -> None:
    """Not one who may only ask, and not one twice; the second of the two at a terminal."""
    story.types("alice", "/mask thaw")
    story.ephemeral("alice", "Only people who may approve something")
    story.types("carol", "/mask thaw it is mended")
    announced(story, "carol asks to turn the kill switch off: it is mended.")
    story.types("carol", "/mask thaw really")
    story.ephemeral("carol", "You already asked for that.")
    thawed = maskbot(story, "nobody", "thaw")
    assert (thawed.returncode, thawed.stdout.startswith("KILL SWITCH OFF, by carol and bob")) == (0, True), thawed
    announced(story, "KILL SWITCH OFF, by carol and bob")
