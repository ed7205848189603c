"""The Slack of the lab goes wrong when asked to, in the ways that real Slack does."""

import time
from collections.abc import Iterator
from http.client import RemoteDisconnected

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.lab.slack.bot import Heard, running
from tests.lab.slack.lab import SlackLab

pytestmark = pytest.mark.slack


@pytest.fixture
def client(slack: SlackLab) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=1)


@pytest.fixture
def bot(slack: SlackLab) -> Iterator[Heard]:
    with running(slack) as heard:
        yield heard


def post(slack: SlackLab, client: WebClient) -> None:
    client.chat_postMessage(channel=slack.channels["incident"], text="hello")


@pytest.mark.parametrize(
    ("kind", "status", "copies"),
    [("429", 429, 0), ("500", 500, 0), ("502", 502, 0), ("503", 503, 0), ("503-after", 503, 1)],
)
def test_a_call_fails_once_before_or_after_it_was_done(
    slack: SlackLab, client: WebClient, kind: str, status: int, copies: int
) -> None:
    slack.fault("chat.postMessage", kind, retry_after=7)
    with pytest.raises(SlackApiError) as refused:
        post(slack, client)
    assert refused.value.response.status_code == status
    assert refused.value.response.headers.get("Retry-After") == ("7" if kind == "429" else None)
    assert len(slack.messages("incident")) == copies
    post(slack, client)
    assert len(slack.messages("incident")) == copies + 1
    assert len(slack.calls("chat.postMessage")) == 2


@pytest.mark.parametrize(("kind", "copies"), [("reset", 0), ("reset-after", 1)])
def test_a_connection_is_reset_before_or_after_the_call_was_done(
    slack: SlackLab, client: WebClient, kind: str, copies: int
) -> None:
    slack.fault("chat.postMessage", kind)
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        post(slack, client)
    assert len(slack.messages("incident")) == copies


def test_a_call_may_never_be_answered(slack: SlackLab, client: WebClient) -> None:
    slack.fault("users.info", "hang")
    with pytest.raises(TimeoutError):
        client.users_info(user=slack.users["bob"])
    assert client.users_info(user=slack.users["bob"])["ok"]


def test_a_call_may_be_answered_late(slack: SlackLab, client: WebClient) -> None:
    slack.fault("auth.test", "delay", seconds=0.3)
    before = time.monotonic()
    client.auth_test()
    assert time.monotonic() - before >= 0.3


def test_any_error_of_slack_can_be_had_as_often_as_wanted(slack: SlackLab, client: WebClient) -> None:
    slack.fault("conversations.info", "missing_scope", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="missing_scope"):
            client.conversations_info(channel=slack.channels["incident"])
    assert client.conversations_info(channel=slack.channels["incident"])["ok"]


def test_two_bots_share_the_envelopes_and_each_comes_once(slack: SlackLab, bot: Heard) -> None:
    with running(slack) as other:
        for number in range(4):
            slack.slash("alice", "incident", f"/mask web-01 unit{number}")
        assert (len(bot.commands), len(other.commands)) == (2, 2)


def test_a_duplicate_reaches_both_bots(slack: SlackLab, bot: Heard) -> None:
    with running(slack) as other:
        slack.duplicate(copies=2)
        slack.slash("alice", "incident", "/mask web-01 cron")
        slack.wait_for(lambda: bot.commands and other.commands)
        assert bot.commands[0]["trigger_id"] == other.commands[0]["trigger_id"]


def test_an_event_is_delivered_again_as_the_same_event(slack: SlackLab, bot: Heard) -> None:
    slack.mention("alice", "incident", "help")
    slack.wait_for(lambda: bot.mentions)
    assert slack.deliver_again(slack.envelopes()[-1]).in_time
    first, again = slack.envelopes()
    assert first["payload"]["event_id"] == again["payload"]["event_id"]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert len(slack.wait_for(lambda: bot.mentions if len(bot.mentions) > 1 else None)) == 2


def test_a_lost_ack_is_an_ack_that_never_came(slack: SlackLab, bot: Heard) -> None:
    slack.lose_acks()
    assert slack.slash("alice", "incident", "/mask web-01 cron").millis is None
    assert len(bot.commands) == 1
    assert slack.slash("alice", "incident", "/mask web-01 cron").in_time


@pytest.mark.parametrize("how", ["announced", "cut"])
def test_a_bot_that_lost_its_socket_comes_back(slack: SlackLab, bot: Heard, how: str) -> None:
    if how == "announced":
        slack.disconnect()
    else:
        slack.drop_socket()
    slack.wait_for(lambda: len(slack.calls("apps.connections.open")) == 2 and slack.connections == 1, timeout=20)
    assert slack.slash("alice", "incident", "/mask web-01 cron").in_time


def test_in_an_outage_nothing_gets_through_and_then_everything_does(slack: SlackLab, client: WebClient) -> None:
    with slack.outage(), pytest.raises((RemoteDisconnected, ConnectionResetError)):
        client.auth_test()
    assert client.auth_test()["ok"]
