"""Masks that end: back by themselves whatever was killed or away, extended by one button, kept by a vote."""

from datetime import UTC, datetime

import pytest

from tests.stories.scene import MASKED, RUNS, Message, Story, buttons, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]

BACK = "UNMASKED, AS BEFORE"


def returns(story: Story) -> list[Message]:
    """The cards of undos."""
    return [card for card in story.cards() if words(card).startswith(("UNMASK", "NOT UNDONE"))]


def has_passed(story: Story, since: datetime, seconds: float) -> None:
    story.until(lambda: (datetime.now(UTC) - since).total_seconds() > seconds, f"{seconds:g} seconds")


def test_a_mask_of_seconds_returns_by_itself_after_the_bot_was_killed_and_started_again(story: Story) -> None:
    card = story.asks("/mask web-01 worker --for 10s INC-2041: runaway job")
    assert "Expires  10 seconds after it is proven: unmask and start it again" in words(card)
    assert story.presses("bob", "Approve", card).in_time
    done = story.card("MASKED AND PROVEN · worker.service on web-01")
    proven = datetime.now(UTC)
    assert "then everything is put back" in words(done)
    assert buttons(done) == ["Unmask", "Extend", "Keep", "Details"]

    story.demo.bot.kill()
    assert story.sees("worker.service") == MASKED
    has_passed(story, proven, 11)
    assert story.sees("worker.service") == MASKED
    story.demo.bot.start()

    back = story.card(f"{BACK} · worker.service on web-01")
    assert story.sees("worker.service") == RUNS
    assert story.sees("metrics.service") == RUNS
    assert "Time is up. Undone automatically, as approved" in words(back)
    assert story.line("unmasked") == "unmasked, as before: worker.service on web-01 (automatic undo)"
    assert len(returns(story)) == 1
    assert buttons(story.card("UNDONE · worker.service on web-01")) == ["Details"]


def test_a_mask_is_extended_without_a_vote_and_kept_with_one(story: Story) -> None:
    story.presses("bob", "Approve", story.asks("/mask web-01 tuned --for 2h"))
    done = story.card("MASKED AND PROVEN · tuned.service on web-01")

    story.presses("alice", "Extend", done)
    story.until(lambda: story.demo.slack.view("alice"), "a form before alice")
    story.demo.slack.submit_view("alice", {"longer": "1h", "reason": "the deploy takes longer"})
    longer = story.card("EXTENDED · tuned.service on web-01")
    assert "no approval was needed: it may last until" in words(longer)
    story.until(lambda: "Extended  by @alice" in words(story.card("MASKED AND PROVEN")), "that on the mask's card")

    story.presses("bob", "Keep", done)
    story.until(lambda: story.demo.slack.view("bob"), "a form before bob")
    story.demo.slack.submit_view("bob", {"reason": "it must never run here"})
    card = story.card("KEEP THE MASK OF tuned.service on web-01 · needs 1 approval")
    assert "it stays until somebody unmasks it" in words(card)
    story.presses("bob", "Approve", card)
    story.ephemeral("bob", "You asked for this, so somebody else must approve or deny it.")
    story.presses("carol", "Approve", card)
    story.card("KEPT, WITHOUT EXPIRY · tuned.service on web-01")
    endless = ["Unmask", "Set an expiry", "Keep", "Details"]
    story.until(lambda: buttons(story.card("MASKED AND PROVEN")) == endless, "no end on the card")

    story.presses("alice", "Set an expiry", story.card("MASKED AND PROVEN"))
    story.until(lambda: story.demo.slack.view("alice"), "a form before alice")
    story.demo.slack.submit_view("alice", {"longer": "4h"})
    assert "no approval was needed: it only gets an expiry" in words(story.card("EXPIRY SET"))
    story.until(lambda: "Extend" in buttons(story.card("MASKED AND PROVEN")), "an end on the card")
    assert story.sees("tuned.service") == MASKED
