"""Somebody has the bot's token and edits its card to harmless words: what is approved is still what is on record."""

import pytest
from slack_sdk import WebClient

from tests.lab.slack.workspace import CHANNELS
from tests.stories.scene import MASKED, RUNS, Message, Story, buttons, id_of, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]
HARMLESS = "MASK tmp-cleanup.timer on test-07 · needs 1 approval"


def with_the_bots_token(story: Story, card: Message, head: str) -> Message:
    """The card with another head, and the buttons that it had."""
    client = WebClient(story.demo.slack.bot_token, base_url=story.demo.slack.api_url)
    first, *others = card["blocks"]
    blocks = [{**first, "text": {**first["text"], "text": head}}, *others]
    client.chat_update(channel=CHANNELS["incident"], ts=card["ts"], text=head, blocks=blocks)
    return story.card(head, which=lambda one: id_of(one) == id_of(card))


def test_an_approval_on_an_edited_card_takes_the_form_from_the_database(story: Story) -> None:
    story.edited = 1
    slack, card = story.demo.slack, story.asks("/mask web-01 cron INC-2041: runaway job")
    edited = with_the_bots_token(story, card, HARMLESS)
    assert buttons(edited) == buttons(card)

    story.presses("bob", "Approve", edited)
    alarm = story.until(lambda: [one for one in story.messages() if "SOMEBODY EDITS" in words(one)], "the alarm")
    assert f"a message about request {id_of(card)} does not show what the bot posted" in words(alarm[0])
    assert story.sees("cron.service") == RUNS
    assert slack.submit_view("bob", {}).in_time
    done = story.card("MASKED AND PROVEN · cron.service on web-01", which=lambda one: id_of(one) == id_of(card))
    assert story.sees("cron.service") == MASKED

    edited = with_the_bots_token(story, done, "MASK tmp-cleanup.timer: one more click")
    story.presses("alice", "Unmask", edited)
    story.ephemeral("alice", "Somebody edited this message: it does not show what the bot posted.")
    assert story.sees("cron.service") == MASKED
