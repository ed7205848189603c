"""Forms with lists that the bot fills, shortcuts, and the Home tab: as strict in the lab as in real Slack."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.lab.slack.bot import PLACES, UNITS, Heard, card, mrkdwn
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import CHANNELS, USERS

pytestmark = pytest.mark.slack
UNITS_TEXT = {"type": "plain_text", "text": "worker.service"}
HOME = {"type": "home", "blocks": [mrkdwn("Welcome")]}


def open_form(slack: SlackLab, user: str = "alice") -> dict[str, Any]:
    slack.slash(user, "incident", "/unmask")
    return slack.wait_for(lambda: slack.view(user))


class TestAListThatTheBotFills:
    def test_shows_what_the_bot_offers_for_what_was_typed(self, slack: SlackLab, slack_bot: Heard) -> None:
        open_form(slack)
        assert slack.offered("alice", "unit", "cron") == ["cron.service", "cronjob@daily.service"]
        assert slack.offered("alice", "unit", "zzz") == []
        heard = slack_bot.typed[0]
        assert (heard["value"], heard["view"]["state"]) == ("cron", {"values": {}})
        assert (heard["container"]["type"], heard["user"]["id"]) == ("view", USERS["alice"])

    def test_lets_nobody_choose_what_was_not_offered(self, slack: SlackLab, slack_bot: Heard) -> None:
        open_form(slack)
        slack.offered("alice", "unit", "work")
        with pytest.raises(LookupError, match="is none of"):
            slack.submit_view("alice", {"host": "web-01", "unit": "cron.service"})
        with pytest.raises(LookupError, match="required"):
            slack.submit_view("alice", {"host": "web-01"})
        assert slack.submit_view("alice", {"host": "web-01", "unit": "worker.service"}).in_time
        chosen = slack_bot.forms[-1]["state"]["values"]["unit"]["unit"]
        assert chosen == {"type": "external_select", "selected_option": {"text": UNITS_TEXT, "value": UNITS[2]}}

    def test_does_not_show_more_than_a_hundred(self, slack: SlackLab, slack_bot: Heard) -> None:
        open_form(slack)
        assert slack.offered("alice", "unit", "many") == []
        (refused,) = slack.refused()
        assert "101 of them, at most 100" in refused

    def test_is_no_field_to_type_anything_else_into(self, slack: SlackLab, slack_bot: Heard) -> None:
        open_form(slack)
        with pytest.raises(LookupError, match="no list"):
            slack.offered("alice", "host", "web")


def test_a_form_keeps_its_id_when_it_is_updated(slack: SlackLab, slack_bot: Heard) -> None:
    view = open_form(slack)
    slack.choose("alice", "host", {"host": "web-02"})
    newer = slack.wait_for(lambda: (now := slack.view("alice")) and now.get("private_metadata") and now)
    assert (newer["id"], newer["private_metadata"]) == (view["id"], "web-02")
    assert newer["hash"] != view["hash"]
    slack.offered("alice", "unit", "cron")
    slack.submit_view("alice", {"host": "web-02", "unit": "cron.service", "channel": CHANNELS["incident"]})
    sent = slack_bot.forms[-1]
    assert sent["id"] == view["id"]
    assert sent["state"]["values"]["channel"]["channel"]["selected_conversation"] == CHANNELS["incident"]


@pytest.mark.parametrize(("known", "error"), [({"hash": "0.old"}, "hash_conflict"), ({"view_id": "V0"}, "not_found")])
def test_only_the_form_as_it_is_now_is_updated(
    slack: SlackLab, slack_bot: Heard, slack_client: WebClient, known: dict[str, str], error: str
) -> None:
    view = open_form(slack)
    with pytest.raises(SlackApiError) as refused:
        slack_client.views_update(view=PLACES, **{"view_id": view["id"], "hash": view["hash"], **known})
    assert refused.value.response["error"] == error


class TestShortcuts:
    @pytest.fixture(autouse=True)
    def _in_the_manifest(self, slack: SlackLab) -> None:
        slack.workspace.manifest.shortcuts = {"mask_message": "message", "mask_anything": "global"}

    def test_one_on_a_message_brings_it_along(self, slack: SlackLab, slack_bot: Heard) -> None:
        said = slack.write("bob", "incident", "cron runs wild on web-01")
        assert slack.shortcut("alice", "mask_message", "incident", said).in_time
        (heard,) = slack_bot.shortcuts
        assert heard["type"] == "message_action"
        assert (heard["channel"]["id"], heard["message"]["text"]) == (CHANNELS["incident"], "cron runs wild on web-01")
        assert slack.wait_for(lambda: slack.view("alice"))["callback_id"] == "where"

    def test_one_from_anywhere_knows_no_channel(self, slack: SlackLab, slack_bot: Heard) -> None:
        assert slack.shortcut("alice", "mask_anything").in_time
        (heard,) = slack_bot.shortcuts
        assert (heard["type"], "channel" in heard) == ("shortcut", False)

    def test_what_the_manifest_does_not_name_is_not_there(self, slack: SlackLab, slack_bot: Heard) -> None:
        with pytest.raises(LookupError, match="no global shortcut"):
            slack.shortcut("alice", "mask_message")


class TestHome:
    def test_is_only_there_where_the_manifest_has_it(self, slack: SlackLab, slack_client: WebClient) -> None:
        slack.workspace.manifest.has_home = False
        with pytest.raises(SlackApiError) as refused:
            slack_client.views_publish(user_id=USERS["alice"], view=HOME)
        assert refused.value.response["error"] == "not_enabled"

    @pytest.mark.parametrize("wrong", [{"user_id": "U0NOBODY"}, {"view": PLACES}, {"view": {**HOME, "blocks": [{}]}}])
    def test_takes_a_home_view_for_a_person(self, slack: SlackLab, slack_client: WebClient, wrong: Any) -> None:
        slack.workspace.manifest.has_home = True
        with pytest.raises(SlackApiError) as refused:
            slack_client.views_publish(**{"user_id": USERS["alice"], "view": HOME, **wrong})
        assert refused.value.response["error"] == "invalid_arguments"


def test_a_home_view_is_no_form(slack: SlackLab, slack_bot: Heard, slack_client: WebClient) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    slack.click("alice", card(slack), "Ask")
    with pytest.raises(SlackApiError) as refused:
        slack_client.views_open(trigger_id=slack_bot.clicks[0]["trigger_id"], view=HOME)
    assert refused.value.response["error"] == "invalid_arguments"
