"""The lab's Slack refuses a bot's calls where real Slack would refuse them."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from tests.lab.slack.bot import Heard, card, mrkdwn
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.passes import Passes
from tests.lab.slack.workspace import BOT_USER

pytestmark = pytest.mark.slack


def refusal(error: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(error.value.response["error"])


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


def test_the_scopes_are_told_as_slack_tells_them(slack: SlackLab, slack_client: WebClient) -> None:
    assert "usergroups:read" in slack_client.auth_test().headers["x-oauth-scopes"].split(",")


def test_a_scope_that_the_manifest_does_not_ask_for_is_missing(slack: SlackLab, slack_client: WebClient) -> None:
    slack.workspace.manifest.scopes.discard("users:read")
    with pytest.raises(SlackApiError) as refused:
        slack_client.users_info(user=slack.users["bob"])
    assert (refusal(refused), refused.value.response["needed"]) == ("missing_scope", "users:read")


def test_an_event_without_a_subscription_does_not_come(slack: SlackLab, slack_bot: Heard) -> None:
    slack.workspace.manifest.events.clear()
    slack.mention("carol", "incident", "help")
    assert slack.envelopes() == []


def test_names_in_a_command_arrive_as_the_manifest_wants_them(slack: SlackLab, slack_bot: Heard) -> None:
    assert slack.slash("alice", "incident", "/mask web-01 cron for @bob and @sre, not @web").in_time
    assert slack_bot.commands[0]["text"] == "web-01 cron for <@U00000BOB|bob> and <!subteam^S000000SRE|@sre>, not @web"


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
def test_what_slack_would_not_show_is_refused(slack: SlackLab, slack_client: WebClient, said: Any, error: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        slack_client.api_call("chat.postMessage", json={"channel": slack.channels["incident"], **said})
    assert refusal(refused) == error
    assert slack.messages("incident") == []
    assert slack.refused() == [f"chat.postMessage: {error}"]


def test_an_edit_may_hold_less_text_than_a_message(slack: SlackLab, slack_client: WebClient) -> None:
    posted = slack_client.chat_postMessage(channel=slack.channels["incident"], text="x" * 4001)
    with pytest.raises(SlackApiError) as refused:
        slack_client.chat_update(channel=slack.channels["incident"], ts=posted["ts"], text="x" * 4001)
    assert refusal(refused) == "msg_too_long"


def test_a_bot_edits_its_own_messages_alone(slack: SlackLab, slack_client: WebClient) -> None:
    hers = slack.write("alice", "incident", "mine")
    with pytest.raises(SlackApiError) as refused:
        slack_client.chat_update(channel=slack.channels["incident"], ts=hers["ts"], text="no, mine")
    assert refusal(refused) == "cant_update_message"
    with pytest.raises(SlackApiError) as refused:
        slack_client.chat_update(channel=slack.channels["incident"], ts="1.000000", text="?")
    assert refusal(refused) == "message_not_found"


def test_a_bot_speaks_where_it_is_a_member(slack: SlackLab, slack_client: WebClient) -> None:
    assert error_of_posting(slack_client, slack.channels["random"]) == "not_in_channel"
    assert error_of_posting(slack_client, "C0NOWHERE") == "channel_not_found"
    slack.set_channel("random", is_private=True)
    assert error_of_posting(slack_client, slack.channels["random"]) == "channel_not_found"
    slack.set_channel("incident", is_archived=True)
    assert error_of_posting(slack_client, slack.channels["incident"]) == "is_archived"
    slack.set_channel("incident", is_archived=False, member=False)
    assert error_of_posting(slack_client, slack.channels["incident"]) == "not_in_channel"


def error_of_posting(slack_client: WebClient, channel: str) -> str:
    with pytest.raises(SlackApiError) as refused:
        slack_client.chat_postMessage(channel=channel, text="hello")
    return refusal(refused)


def test_a_whisper_is_in_no_history_and_only_for_members(slack: SlackLab, slack_client: WebClient) -> None:
    slack.workspace.manifest.scopes.add("channels:history")
    channel = slack.channels["incident"]
    slack_client.chat_postEphemeral(channel=channel, user=slack.users["dave"], text="psst")
    assert [whisper["text"] for whisper in slack.whispers("incident", "dave")] == ["psst"]
    assert slack_client.conversations_history(channel=channel)["messages"] == []
    with pytest.raises(SlackApiError) as refused:
        slack_client.chat_postEphemeral(channel=channel, user="U0STRANGER", text="psst")
    assert refusal(refused) == "user_not_in_channel"


def test_metadata_is_kept_and_given_to_those_who_ask(slack: SlackLab, slack_client: WebClient) -> None:
    slack.workspace.manifest.scopes.add("channels:history")
    channel, mark = slack.channels["incident"], {"event_type": "card", "event_payload": {"id": "7"}}
    slack_client.chat_postMessage(channel=channel, text="a card", metadata=mark)
    assert "metadata" not in slack_client.conversations_history(channel=channel)["messages"][0]
    assert (
        slack_client.conversations_history(channel=channel, include_all_metadata=True)["messages"][0]["metadata"]
        == mark
    )


def test_history_pages_and_keeps_to_its_limits(slack: SlackLab, slack_client: WebClient) -> None:
    slack.workspace.manifest.scopes.add("channels:history")
    channel = slack.channels["incident"]
    posted = [slack_client.chat_postMessage(channel=channel, text=str(number))["ts"] for number in range(5)]
    page = slack_client.conversations_history(channel=channel, limit=2, oldest=posted[0])
    assert [message["text"] for message in page["messages"]] == ["4", "3"]
    page = slack_client.conversations_history(
        channel=channel, limit=2, oldest=posted[0], cursor=page["response_metadata"]["next_cursor"]
    )
    assert ([message["text"] for message in page["messages"]], page["has_more"]) == (["2", "1"], False)


def test_people_groups_and_channels_are_what_a_test_says_they_are(slack: SlackLab, slack_client: WebClient) -> None:
    users, incident = slack.users, slack.channels["incident"]
    assert slack_client.users_info(user=users["eve"])["user"]["is_restricted"] is True
    assert slack_client.users_info(user=users["bob"])["user"]["is_restricted"] is False
    slack.set_user("bob", deleted=True, team_id="T0OTHER")
    described = slack_client.users_info(user=users["bob"])["user"]
    assert (described["deleted"], described["team_id"]) == (True, "T0OTHER")

    (group,) = slack_client.usergroups_list(include_users=True)["usergroups"]
    assert (group["handle"], group["users"]) == ("sre", [users["bob"], users["carol"]])
    slack.set_group("sre", ["carol"])
    assert slack_client.usergroups_users_list(usergroup=slack.groups["sre"])["users"] == [users["carol"]]

    assert slack_client.conversations_info(channel=incident)["channel"]["is_member"] is True
    assert slack_client.conversations_info(channel=slack.channels["random"])["channel"]["is_member"] is False
    slack.set_channel("incident", is_ext_shared=True)
    described = slack_client.conversations_info(channel=incident)["channel"]
    assert (described["is_ext_shared"], described["is_shared"]) == (True, True)
    assert set(slack_client.conversations_members(channel=incident)["members"]) == {*users.values(), BOT_USER}


def test_a_stranger_is_shown_as_one_in_what_they_do(slack: SlackLab, slack_bot: Heard) -> None:
    slack.set_user("eve", team_id="T0OTHER")
    slack.slash("eve", "incident", "/mask web-01 cron")
    slack.click("eve", card(slack), "Approve")
    assert slack_bot.commands[0]["team_id"] == "T0OTHER"
    assert slack.wait_for(lambda: slack_bot.clicks)[0]["user"]["team_id"] == "T0OTHER"


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


def test_a_trigger_does_not_open_a_second_form(slack: SlackLab, slack_client: WebClient, slack_bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    slack.click("bob", card(slack), "Ask")
    opened = slack.wait_for(lambda: slack.calls("views.open"))[0]
    with pytest.raises(SlackApiError) as refused:
        slack_client.views_open(trigger_id=opened.args["trigger_id"], view=opened.args["view"])
    assert refusal(refused) == "exchanged_trigger_id"


def test_a_response_url_is_good_five_times(slack: SlackLab, slack_bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    address = WebhookClient(slack_bot.commands[0]["response_url"])
    assert [address.send(text="again").status_code for _ in range(6)] == [200] * 5 + [404]
    assert [said["text"] for said in slack.whispers("incident", "alice")] == ["heard web-01 cron"] + ["again"] * 5
    assert "again" not in [said["text"] for said in slack.messages("incident")]
