"""The same bot for those who cannot use a socket: what people do comes in over HTTP, and everything goes as ever."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.core.cards import forms
from tests.stories.scene import MASKED, RUNS, Story, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]


@pytest.fixture(scope="module")
def http_port() -> int:
    """One that is free, and stays the bot's when it is started again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_what_is_asked_and_approved_over_http_is_masked_proven_and_undone(story: Story) -> None:
    card = story.asks("/mask web-01 cron the payload queue is stuck")
    assert "the payload queue is stuck" in words(card)
    assert story.presses("bob", "Approve", card).in_time
    done = story.card("MASKED AND PROVEN · cron.service on web-01")
    assert story.sees("cron.service") == MASKED
    assert story.refuses_to_start("cron.service")

    story.presses("alice", "Unmask", done)
    story.card("UNMASKED, AS BEFORE · cron.service on web-01")
    assert story.sees("cron.service") == RUNS
    state = story.demo.bot.installation.maskbot("status")
    assert "last heard from Slack at 2" in state.stdout
    assert state.returncode == 0


def test_the_form_and_its_mistakes_go_over_http(story: Story) -> None:
    slack = story.demo.slack
    story.types("alice", "/mask")
    form = story.until(lambda: slack.view("alice"), "the form")
    slack.choose("alice", forms.HOST, {forms.HOST: "web-02"})
    story.until(lambda: slack.view("alice") != form, "the form to note the host")
    story.until(lambda: "restless.service" in slack.offered("alice", forms.UNIT, "restless"), "the units of web-02")
    slack.offered("alice", forms.UNIT, "ssh.s")
    wrong = slack.submit_view("alice", {forms.HOST: "web-02", forms.UNIT: "ssh.service", forms.REASON: "INC-7"})
    assert wrong.said is not None
    assert set(wrong.said["errors"]) == {forms.UNIT}
    slack.offered("alice", forms.UNIT, "restless")
    slack.submit_view("alice", {forms.HOST: "web-02", forms.UNIT: "restless.service", forms.REASON: "INC-7"})
    story.presses("bob", "Deny", story.card("MASK restless.service on web-02"))
    story.until(lambda: slack.view("bob"), "the form for a denial")
    slack.submit_view("bob", {forms.REASON: "not today"})
    assert "not today" in words(story.card("DENIED"))
    assert story.sees("restless.service", "web-02") == RUNS


def test_what_was_said_to_a_bot_that_was_down_is_delivered_again_and_is_one_request(story: Story) -> None:
    slack, bot = story.demo.slack, story.demo.bot
    bot.kill()
    slack.mention("alice", "incident", "mask db-01 tuned")
    event = story.until(lambda: [sent for sent in slack.envelopes() if sent["type"] == "events_api"], "the event")[-1]
    assert not slack.deliver_again(event, attempt=1).in_time
    bot.start()
    assert slack.deliver_again(event, attempt=2).in_time
    assert slack.deliver_again(event, attempt=3).in_time
    story.presses("alice", "Withdraw", story.card("MASK tuned.service on db-01"))
    story.card("WITHDRAWN")
    assert len(story.cards()) == 1


def test_doctor_asks_the_bot_what_slack_would_ask(story: Story, http_port: int) -> None:
    found = story.demo.bot.installation.maskbot("doctor").stdout
    assert f"ok  Slack: HTTP: the bot on 127.0.0.1 port {http_port} answers" in found
    assert "app token" not in found


def test_twenty_commands_at_once_are_all_acknowledged_in_time(story: Story) -> None:
    typed = [f"/mask gone-01 unit-{number}" for number in range(20)]
    with ThreadPoolExecutor(len(typed)) as pool:
        acks = list(pool.map(lambda text: story.types("alice", text), typed))

    assert all(ack.in_time for ack in acks), sorted(ack.millis or 0 for ack in acks)
    story.until(
        lambda: len([text for text in story.whispers("alice") if "Nothing was" in text]) == 20, "twenty answers"
    )
