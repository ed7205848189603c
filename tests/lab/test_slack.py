"""The Slack of the lab is as strict as the real one, and nobody else on this machine's network can reach it."""

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.lab.slack import readable
from tests.lab.slack.bot import CARD, Heard, mrkdwn, running
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.passes import Passes
from tests.lab.slack.socketmode import Ack
from tests.lab.slack.workspace import BOT_USER, TEAM, Json, Workspace

pytestmark = pytest.mark.slack


@pytest.fixture
def client(slack: SlackLab) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def bot(slack: SlackLab) -> Iterator[Heard]:
    with running(slack) as heard:
        yield heard


def refusal(error: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(error.value.response["error"])


def card(slack: SlackLab) -> Json:
    return slack.wait_for(lambda: [message for message in slack.messages("incident") if message.get("blocks")])[0]


def ask(slack: SlackLab, method: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", slack.port, timeout=5)
    connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


# What people do and see


def test_a_command_is_heard_and_its_answer_is_for_its_sender_alone(slack: SlackLab, bot: Heard) -> None:
    ack = slack.slash("alice", "incident", "/mask web-01 cron")
    assert ack.in_time
    assert bot.commands[0]["user_id"] == slack.users["alice"]
    assert [whisper["text"] for whisper in slack.whispers("incident", "alice")] == ["heard web-01 cron"]
    assert slack.whispers("incident", "bob") == []


def test_a_command_without_a_bot_comes_back_without_an_ack(slack: SlackLab) -> None:
    assert slack.slash("alice", "incident", "/mask web-01 cron") == Ack()


def test_the_app_has_only_its_own_commands(slack: SlackLab, bot: Heard) -> None:
    with pytest.raises(LookupError, match="not a valid command"):
        slack.slash("alice", "incident", "/remind me")


def test_a_click_is_heard_once_and_answered_to_the_clicker_alone(slack: SlackLab, bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    assert slack.click("bob", card(slack), "Approve").in_time
    assert slack.wait_for(lambda: slack.whispers("incident", "bob"))[0]["text"] == "thanks"
    (click,) = bot.clicks
    assert (click["user"]["id"], click["user"]["team_id"]) == (slack.users["bob"], TEAM)
    assert click["actions"][0]["value"] == "7"
    assert click["message"]["blocks"] == CARD


def test_a_button_that_is_not_there_cannot_be_pressed(slack: SlackLab, bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    with pytest.raises(LookupError, match="Approve"):
        slack.click("bob", card(slack), "Deny")


def test_a_mention_carries_its_thread_and_nothing_else_is_heard(slack: SlackLab, bot: Heard) -> None:
    first = slack.write("alice", "incident", "is anybody there?")
    slack.mention("carol", "incident", "mask web-01 cron", thread_ts=first["ts"])
    (mention,) = slack.wait_for(lambda: bot.mentions)
    assert mention["text"] == f"<@{BOT_USER}> mask web-01 cron"
    assert mention["thread_ts"] == first["ts"]
    assert [envelope["payload"]["event"]["type"] for envelope in slack.envelopes()] == ["app_mention"]


def test_where_the_bot_is_no_member_a_mention_does_not_reach_it(slack: SlackLab, bot: Heard) -> None:
    slack.mention("carol", "random", "mask web-01 cron")
    slack.mention("carol", "incident", "help")
    assert len(slack.wait_for(lambda: bot.mentions)) == 1


def test_a_form_sends_what_was_not_touched_and_insists_on_the_rest(slack: SlackLab, bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    slack.click("bob", card(slack), "Ask")
    assert slack.wait_for(lambda: slack.view("bob"))["callback_id"] == "why"
    assert slack.view("alice") is None
    with pytest.raises(LookupError, match="required"):
        slack.submit_view("bob")
    assert slack.submit_view("bob", {"ticket": "none"}).said == {
        "response_action": "errors",
        "errors": {"ticket": "There is always one."},
    }
    assert slack.submit_view("bob", {"ticket": "INC-1"}).in_time
    assert bot.forms[-1]["state"]["values"]["reason"]["text"]["value"] == "as before"
    slack.wait_for(lambda: slack.view("bob") is None)


def test_the_home_tab_shows_what_was_published(slack: SlackLab, bot: Heard) -> None:
    slack.workspace.manifest.events.add("app_home_opened")
    assert slack.home("dave")["blocks"] == [mrkdwn("Welcome")]


def test_twenty_commands_at_once_are_told_apart(slack: SlackLab, bot: Heard) -> None:
    acks = asyncio.run(_all_at_once(slack))
    assert [ack.said["text"] for ack in acks if ack.said] == [f"heard web-01 unit{number}" for number in range(20)]


async def _all_at_once(slack: SlackLab) -> list[Ack]:
    typed = [f"/mask web-01 unit{number}" for number in range(20)]
    return list(await asyncio.gather(*(asyncio.to_thread(slack.slash, "alice", "incident", text) for text in typed)))


# What the bot may do


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-somebody-else", "auth.test", "invalid_auth"),
        (SlackLab.app_token, "auth.test", "not_allowed_token_type"),
        (SlackLab.bot_token, "apps.connections.open", "not_allowed_token_type"),
    ],
)
def test_a_token_opens_what_it_is_for(slack: SlackLab, token: str, method: str, error: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        WebClient(token, base_url=slack.api_url).api_call(method)
    assert refusal(refused) == error


def test_the_scopes_are_told_as_slack_tells_them(slack: SlackLab, client: WebClient) -> None:
    assert "usergroups:read" in client.auth_test().headers["x-oauth-scopes"].split(",")


def test_a_scope_that_the_manifest_does_not_ask_for_is_missing(slack: SlackLab, client: WebClient) -> None:
    slack.workspace.manifest.scopes.discard("users:read")
    with pytest.raises(SlackApiError) as refused:
        client.users_info(user=slack.users["bob"])
    assert (refusal(refused), refused.value.response["needed"]) == ("missing_scope", "users:read")


def test_an_event_without_a_subscription_does_not_come(slack: SlackLab, bot: Heard) -> None:
    slack.workspace.manifest.events.clear()
    slack.mention("carol", "incident", "help")
    assert slack.envelopes() == []


def test_names_in_a_command_arrive_as_the_manifest_wants_them(slack: SlackLab, bot: Heard) -> None:
    assert slack.slash("alice", "incident", "/mask web-01 cron for @bob and @sre, not @web").in_time
    assert bot.commands[0]["text"] == "web-01 cron for <@U00000BOB|bob> and <!subteam^S000000SRE|@sre>, not @web"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x", "blocks": [mrkdwn("x")] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": [mrkdwn("x" * 3001)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [mrkdwn("x" * 2900)] * 5}, "msg_blocks_too_long"),
        ({"text": "x", "blocks": "no json"}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "only"}}, "invalid_metadata_format"),
    ],
)
def test_what_slack_would_not_show_is_refused(slack: SlackLab, client: WebClient, said: Any, error: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.api_call("chat.postMessage", json={"channel": slack.channels["incident"], **said})
    assert refusal(refused) == error
    assert slack.messages("incident") == []
    assert slack.refused() == [f"chat.postMessage: {error}"]


def test_an_edit_may_hold_less_text_than_a_message(slack: SlackLab, client: WebClient) -> None:
    posted = client.chat_postMessage(channel=slack.channels["incident"], text="x" * 4001)
    with pytest.raises(SlackApiError) as refused:
        client.chat_update(channel=slack.channels["incident"], ts=posted["ts"], text="x" * 4001)
    assert refusal(refused) == "msg_too_long"


def test_a_bot_edits_its_own_messages_alone(slack: SlackLab, client: WebClient) -> None:
    hers = slack.write("alice", "incident", "mine")
    with pytest.raises(SlackApiError) as refused:
        client.chat_update(channel=slack.channels["incident"], ts=hers["ts"], text="no, mine")
    assert refusal(refused) == "cant_update_message"
    with pytest.raises(SlackApiError) as refused:
        client.chat_update(channel=slack.channels["incident"], ts="1.000000", text="?")
    assert refusal(refused) == "message_not_found"


def test_a_bot_speaks_where_it_is_a_member(slack: SlackLab, client: WebClient) -> None:
    assert error_of_posting(client, slack.channels["random"]) == "not_in_channel"
    assert error_of_posting(client, "C0NOWHERE") == "channel_not_found"
    slack.set_channel("random", is_private=True)
    assert error_of_posting(client, slack.channels["random"]) == "channel_not_found"
    slack.set_channel("incident", is_archived=True)
    assert error_of_posting(client, slack.channels["incident"]) == "is_archived"
    slack.set_channel("incident", is_archived=False, member=False)
    assert error_of_posting(client, slack.channels["incident"]) == "not_in_channel"


def error_of_posting(client: WebClient, channel: str) -> str:
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=channel, text="hello")
    return refusal(refused)


def test_a_whisper_is_in_no_history_and_only_for_members(slack: SlackLab, client: WebClient) -> None:
    slack.workspace.manifest.scopes.add("channels:history")
    channel = slack.channels["incident"]
    client.chat_postEphemeral(channel=channel, user=slack.users["dave"], text="psst")
    assert [whisper["text"] for whisper in slack.whispers("incident", "dave")] == ["psst"]
    assert client.conversations_history(channel=channel)["messages"] == []
    with pytest.raises(SlackApiError) as refused:
        client.chat_postEphemeral(channel=channel, user="U0STRANGER", text="psst")
    assert refusal(refused) == "user_not_in_channel"


def test_metadata_is_kept_and_given_to_those_who_ask(slack: SlackLab, client: WebClient) -> None:
    slack.workspace.manifest.scopes.add("channels:history")
    channel, mark = slack.channels["incident"], {"event_type": "card", "event_payload": {"id": "7"}}
    client.chat_postMessage(channel=channel, text="a card", metadata=mark)
    assert "metadata" not in client.conversations_history(channel=channel)["messages"][0]
    assert client.conversations_history(channel=channel, include_all_metadata=True)["messages"][0]["metadata"] == mark


def test_history_pages_and_keeps_to_its_limits(slack: SlackLab, client: WebClient) -> None:
    slack.workspace.manifest.scopes.add("channels:history")
    channel = slack.channels["incident"]
    posted = [client.chat_postMessage(channel=channel, text=str(number))["ts"] for number in range(5)]
    page = client.conversations_history(channel=channel, limit=2, oldest=posted[0])
    assert [message["text"] for message in page["messages"]] == ["4", "3"]
    page = client.conversations_history(
        channel=channel, limit=2, oldest=posted[0], cursor=page["response_metadata"]["next_cursor"]
    )
    assert ([message["text"] for message in page["messages"]], page["has_more"]) == (["2", "1"], False)


def test_people_groups_and_channels_are_what_a_test_says_they_are(slack: SlackLab, client: WebClient) -> None:
    users, incident = slack.users, slack.channels["incident"]
    assert client.users_info(user=users["eve"])["user"]["is_restricted"] is True
    assert client.users_info(user=users["bob"])["user"]["is_restricted"] is False
    slack.set_user("bob", deleted=True, team_id="T0OTHER")
    described = client.users_info(user=users["bob"])["user"]
    assert (described["deleted"], described["team_id"]) == (True, "T0OTHER")

    (group,) = client.usergroups_list(include_users=True)["usergroups"]
    assert (group["handle"], group["users"]) == ("sre", [users["bob"], users["carol"]])
    slack.set_group("sre", ["carol"])
    assert client.usergroups_users_list(usergroup=slack.groups["sre"])["users"] == [users["carol"]]

    assert client.conversations_info(channel=incident)["channel"]["is_member"] is True
    assert client.conversations_info(channel=slack.channels["random"])["channel"]["is_member"] is False
    slack.set_channel("incident", is_ext_shared=True)
    described = client.conversations_info(channel=incident)["channel"]
    assert (described["is_ext_shared"], described["is_shared"]) == (True, True)
    assert set(client.conversations_members(channel=incident)["members"]) == {*users.values(), BOT_USER}


def test_a_stranger_is_shown_as_one_in_what_they_do(slack: SlackLab, bot: Heard) -> None:
    slack.set_user("eve", team_id="T0OTHER")
    slack.slash("eve", "incident", "/mask web-01 cron")
    slack.click("eve", card(slack), "Approve")
    assert bot.commands[0]["team_id"] == "T0OTHER"
    assert slack.wait_for(lambda: bot.clicks)[0]["user"]["team_id"] == "T0OTHER"


def test_a_trigger_is_good_once_and_for_three_seconds() -> None:
    now = 0.0
    passes = Passes(clock=lambda: now)
    passes.issue({"trigger_id": "one"}, "U1")
    passes.issue({"trigger_id": "two"}, "U2")
    assert passes.use_trigger("one") == ("U1", "")
    assert passes.use_trigger("one") == ("", "exchanged_trigger_id")
    now = 3.1
    assert passes.use_trigger("two") == ("", "expired_trigger_id")
    assert passes.use_trigger("three") == ("", "invalid_trigger_id")


def test_a_trigger_does_not_open_a_second_form(slack: SlackLab, client: WebClient, bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    slack.click("bob", card(slack), "Ask")
    opened = slack.wait_for(lambda: slack.calls("views.open"))[0]
    with pytest.raises(SlackApiError) as refused:
        client.views_open(trigger_id=opened.args["trigger_id"], view=opened.args["view"])
    assert refusal(refused) == "exchanged_trigger_id"


def test_a_response_url_is_good_five_times(slack: SlackLab, bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    path = bot.commands[0]["response_url"].removeprefix(f"http://localhost:{slack.port}")
    said = {"Content-Type": "application/json"}
    assert [ask(slack, "POST", path, said) for _ in range(6)] == [200] * 5 + [404]
    assert len(slack.whispers("incident", "alice")) == 6  # its ack is the sixth; none is public


# Who may come in


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_another_page_may_not_act_for_anybody(slack: SlackLab, headers: dict[str, str], status: int) -> None:
    assert ask(slack, "GET", "/_control/state", headers) == status
    assert ask(slack, "POST", "/_control/reset", {"Content-Type": "text/plain", **headers}) == status


def test_the_page_may_act(slack: SlackLab) -> None:
    own = {"Origin": f"http://localhost:{slack.port}", "Host": f"localhost:{slack.port}"}
    assert ask(slack, "POST", "/_control/reset", own) == 200
    assert ask(slack, "GET", "/", {"Sec-Fetch-Site": "cross-site"}) == 200  # a link to it may be followed


def test_another_page_may_not_watch(slack: SlackLab) -> None:
    async def watch() -> None:
        async with ClientSession() as session, session.ws_connect(f"{slack.url}/ui", origin="http://evil.example"):
            pass

    with pytest.raises(WSServerHandshakeError, match="403"):
        asyncio.run(watch())


def test_only_the_proxy_listens_and_on_loopback_alone(slack: SlackLab) -> None:
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{slack.port:04X}")
    }
    assert listening == {f"0100007F:{slack.port:04X}"}  # 127.0.0.1, as proc(5) writes it


def test_nothing_is_left_when_it_ends() -> None:
    with SlackLab() as slack:
        port = slack.port
        assert len(_standins(port)) == 1
    assert _standins(port) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def _standins(port: int) -> list[list[bytes]]:
    running = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            running.append(process.read_bytes().split(b"\0"))
    return [argv for argv in running if argv[0].endswith(b"/local-slack") and str(port).encode() in argv]


# What the page shows


def test_words_for_slack_are_shown_as_words_for_people() -> None:
    said = {"text": "<!here> &lt;b&gt; &amp;", "blocks": CARD}
    shown = readable.message(said, Workspace.of_the_demo())
    assert shown["blocks"][0]["text"]["text"] == "asked at noon, @sre may approve"
    assert shown["text"] == "@here <\u200bb> &"
    assert said["blocks"] == CARD


def test_a_page_shows_what_its_person_may_see(slack: SlackLab, client: WebClient) -> None:
    channel = slack.channels["incident"]
    client.chat_postMessage(channel=channel, text="a card", blocks=CARD)
    client.chat_postEphemeral(channel=channel, user=slack.users["dave"], text="psst")
    seen = asyncio.run(_seen_by(slack, ["alice", "dave"]))
    assert [message["text"] for message in seen["alice"]] == ["a card"]
    assert [message["text"] for message in seen["dave"]] == ["a card", "psst"]
    assert seen["dave"][0]["blocks"][0]["text"]["text"] == "asked at noon, @sre may approve"


async def _seen_by(slack: SlackLab, names: list[str]) -> dict[str, list[Json]]:
    """The channel on one page that acts as each of them in turn; it starts as the first."""
    seen = {}
    async with ClientSession() as session, session.ws_connect(f"{slack.url}/ui", origin=slack.url) as page:
        for name in names:
            await page.send_json({"t": "acting_as", "user": slack.users[name]})
            frame = json.loads(await page.receive_str())
            seen[name] = frame["state"]["messages"][slack.channels["incident"]]
    return seen
