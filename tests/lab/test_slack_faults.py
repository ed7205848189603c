"""The lab's Slack fails on request, in the ways that real Slack does."""

import asyncio
import time
from http.client import RemoteDisconnected

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.lab.slack.bot import Heard, running
from tests.lab.slack.lab import SlackLab

pytestmark = pytest.mark.slack


def post(slack: SlackLab, slack_client: WebClient) -> None:
    slack_client.chat_postMessage(channel=slack.channels["incident"], text="hello")


@pytest.mark.parametrize(
    ("kind", "status", "copies"),
    [("429", 429, 0), ("500", 500, 0), ("502", 502, 0), ("503", 503, 0), ("503-after", 503, 1)],
)
def test_a_call_fails_once_before_or_after_it_was_done(
    slack: SlackLab, slack_client: WebClient, kind: str, status: int, copies: int
) -> None:
    slack.fault("chat.postMessage", kind, retry_after=7)
    with pytest.raises(SlackApiError) as refused:
        post(slack, slack_client)
    assert refused.value.response.status_code == status
    assert refused.value.response.headers.get("Retry-After") == ("7" if kind == "429" else None)
    assert len(slack.messages("incident")) == copies
    post(slack, slack_client)
    assert len(slack.messages("incident")) == copies + 1
    assert len(slack.calls("chat.postMessage")) == 2


@pytest.mark.parametrize(("kind", "copies"), [("reset", 0), ("reset-after", 1)])
def test_a_connection_is_reset_before_or_after_the_call_was_done(
    slack: SlackLab, slack_client: WebClient, kind: str, copies: int
) -> None:
    slack.fault("chat.postMessage", kind)
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        post(slack, slack_client)
    assert len(slack.messages("incident")) == copies


def test_a_call_may_never_be_answered(slack: SlackLab, slack_client: WebClient) -> None:
    slack.fault("users.info", "hang")
    with pytest.raises(TimeoutError):
        slack_client.users_info(user=slack.users["bob"])
    assert slack_client.users_info(user=slack.users["bob"])["ok"]


def test_a_call_may_be_answered_late(slack: SlackLab, slack_client: WebClient) -> None:
    slack.fault("auth.test", "delay", seconds=0.3)
    before = time.monotonic()
    slack_client.auth_test()
    assert time.monotonic() - before >= 0.3


def test_any_error_of_slack_can_be_had_as_often_as_wanted(slack: SlackLab, slack_client: WebClient) -> None:
    slack.fault("conversations.info", "missing_scope", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="missing_scope"):
            slack_client.conversations_info(channel=slack.channels["incident"])
    assert slack_client.conversations_info(channel=slack.channels["incident"])["ok"]


def test_two_bots_share_the_envelopes_and_each_comes_once(slack: SlackLab, slack_bot: Heard) -> None:
    with running(slack) as other:
        for number in range(4):
            slack.slash("alice", "incident", f"/mask web-01 unit{number}")
        assert (len(slack_bot.commands), len(other.commands)) == (2, 2)


def test_a_duplicate_reaches_both_bots(slack: SlackLab, slack_bot: Heard) -> None:
    with running(slack) as other:
        slack.duplicate(copies=2)
        slack.slash("alice", "incident", "/mask web-01 cron")
        slack.wait_for(lambda: slack_bot.commands and other.commands)
        assert slack_bot.commands[0]["trigger_id"] == other.commands[0]["trigger_id"]


def test_an_event_is_delivered_again_as_the_same_event(slack: SlackLab, slack_bot: Heard) -> None:
    slack.mention("alice", "incident", "help")
    slack.wait_for(lambda: slack_bot.mentions)
    assert slack.deliver_again(slack.envelopes()[-1]).in_time
    first, again = slack.envelopes()
    assert first["payload"]["event_id"] == again["payload"]["event_id"]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert len(slack.wait_for(lambda: slack_bot.mentions if len(slack_bot.mentions) > 1 else None)) == 2


def test_a_lost_ack_is_an_ack_that_never_came(slack: SlackLab, slack_bot: Heard) -> None:
    slack.lose_acks()
    assert slack.slash("alice", "incident", "/mask web-01 cron").millis is None
    assert len(slack_bot.commands) == 1
    assert slack.slash("alice", "incident", "/mask web-01 cron").in_time


@pytest.mark.parametrize("how", ["announced", "cut"])
def test_a_bot_that_lost_its_socket_comes_back(slack: SlackLab, how: str) -> None:
    with running(slack, pings=0.4):  # slack_sdk reads from a cut socket without a pause until it misses its pings
        if how == "announced":
            slack.disconnect()
        else:
            slack.drop_socket()
        slack.wait_for(lambda: len(slack.calls("apps.connections.open")) == 2 and slack.connections == 1, timeout=20)
        assert slack.slash("alice", "incident", "/mask web-01 cron").in_time


def test_in_an_outage_nothing_gets_through_and_then_everything_does(slack: SlackLab, slack_client: WebClient) -> None:
    with slack.outage(), pytest.raises((RemoteDisconnected, ConnectionResetError)):
        slack_client.auth_test()
    assert slack_client.auth_test()["ok"]


def test_a_connection_made_while_the_last_one_is_cut_is_sent_what_people_do(slack: SlackLab) -> None:
    """A bot was killed and started again on a busy machine."""

    async def connected(session: ClientSession) -> ClientWebSocketResponse:
        headers = {"Authorization": f"Bearer {slack.app_token}"}
        async with session.post(f"{slack.api_url}apps.connections.open", headers=headers) as answer:
            address = (await answer.json())["url"]
        slack.drop_socket()
        socket = await session.ws_connect(address)
        assert (await socket.receive_json())["type"] == "hello"
        return socket

    async def first_messages() -> list[str]:
        async with ClientSession() as session:
            await connected(session)
            socket = await connected(session)
            await asyncio.to_thread(slack.mention, "alice", "incident", "hello")
            return [(await socket.receive_json(timeout=10))["type"]]

    assert asyncio.run(first_messages()) == ["events_api"]
