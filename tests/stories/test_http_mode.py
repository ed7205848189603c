"""The same bot for those who cannot use a socket: what people do comes in over HTTP, and everything goes as ever."""

import socket
from collections.abc import Iterator, Mapping

import pytest

from bot.core.cards import forms
from tests.lab.demo import Demo
from tests.lab.hosts import LabHost
from tests.lab.slack.workspace import SIGNING_SECRET
from tests.stories.conftest import booted
from tests.stories.scene import MASKED, RUNS, Story, words

pytestmark = [pytest.mark.slack, pytest.mark.ssh]


@pytest.fixture(scope="module")
def http_port() -> int:
    """One that is free, and stays the bot's when it is started again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def demo(lab_hosts: Mapping[str, LabHost], http_port: int) -> Iterator[Demo]:
    """A Slack that knows where the bot listens."""
    settings = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": SIGNING_SECRET, "MASKBOT_HTTP_PORT": str(http_port)}
    with booted(lab_hosts, settings) as one:
        one.slack.send_to(f"http://127.0.0.1:{http_port}/slack/events")
        yield one


def test_what_is_asked_and_approved_over_http_is_masked_and_proven(story: Story) -> None:
    card = story.asks("/mask web-01 cron the payload queue is stuck")
    assert "the payload queue is stuck" in words(card)
    assert story.presses("bob", "Approve", card).in_time
    story.card("MASKED AND PROVEN · cron.service on web-01")
    assert story.sees("cron.service") == MASKED
    assert story.refuses_to_start("cron.service")


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
