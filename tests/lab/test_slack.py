"""People in the lab's Slack: their actions reach the bot, and each sees only what is meant for them."""

import asyncio

import pytest

from tests.lab.slack.bot import CARD, Heard, card, mrkdwn
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.socketmode import Ack
from tests.lab.slack.workspace import BOT_USER, TEAM

pytestmark = pytest.mark.slack


def test_a_command_is_heard_and_its_answer_is_for_its_sender_alone(slack: SlackLab, slack_bot: Heard) -> None:
    ack = slack.slash("alice", "incident", "/mask web-01 cron")
    assert ack.in_time
    assert slack_bot.commands[0]["user_id"] == slack.users["alice"]
    assert [whisper["text"] for whisper in slack.whispers("incident", "alice")] == ["heard web-01 cron"]
    assert slack.whispers("incident", "bob") == []


def test_a_command_without_a_bot_comes_back_without_an_ack(slack: SlackLab) -> None:
    assert slack.slash("alice", "incident", "/mask web-01 cron") == Ack()


def test_the_app_has_only_its_own_commands(slack: SlackLab, slack_bot: Heard) -> None:
    with pytest.raises(LookupError, match="not a valid command"):
        slack.slash("alice", "incident", "/remind me")


def test_a_click_is_heard_once_and_answered_to_the_clicker_alone(slack: SlackLab, slack_bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    assert slack.click("bob", card(slack), "Approve").in_time
    assert slack.wait_for(lambda: slack.whispers("incident", "bob"))[0]["text"] == "thanks"
    (click,) = slack_bot.clicks
    assert (click["user"]["id"], click["user"]["team_id"]) == (slack.users["bob"], TEAM)
    assert click["actions"][0]["value"] == "7"
    assert click["message"]["blocks"] == CARD


def test_a_button_that_is_not_there_cannot_be_pressed(slack: SlackLab, slack_bot: Heard) -> None:
    slack.slash("alice", "incident", "/mask web-01 cron")
    with pytest.raises(LookupError, match="Approve"):
        slack.click("bob", card(slack), "Deny")


def test_a_mention_carries_its_thread_and_nothing_else_is_heard(slack: SlackLab, slack_bot: Heard) -> None:
    first = slack.write("alice", "incident", "is anybody there?")
    slack.mention("carol", "incident", "mask web-01 cron", thread_ts=first["ts"])
    (mention,) = slack.wait_for(lambda: slack_bot.mentions)
    assert mention["text"] == f"<@{BOT_USER}> mask web-01 cron"
    assert mention["thread_ts"] == first["ts"]
    assert [envelope["payload"]["event"]["type"] for envelope in slack.envelopes()] == ["app_mention"]


def test_where_the_bot_is_no_member_a_mention_does_not_reach_it(slack: SlackLab, slack_bot: Heard) -> None:
    slack.mention("carol", "random", "mask web-01 cron")
    slack.mention("carol", "incident", "help")
    assert len(slack.wait_for(lambda: slack_bot.mentions)) == 1


def test_a_form_sends_what_was_not_touched_and_insists_on_the_rest(slack: SlackLab, slack_bot: Heard) -> None:
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
    assert slack_bot.forms[-1]["state"]["values"]["reason"]["text"]["value"] == "as before"
    slack.wait_for(lambda: slack.view("bob") is None)


def test_the_home_tab_shows_what_was_published(slack: SlackLab, slack_bot: Heard) -> None:
    slack.workspace.manifest.events.add("app_home_opened")
    slack.workspace.manifest.has_home = True
    assert slack.home("dave")["blocks"] == [mrkdwn("Welcome")]


def test_twenty_commands_at_once_are_told_apart(slack: SlackLab, slack_bot: Heard) -> None:
    acks = asyncio.run(_all_at_once(slack))
    assert [ack.said["text"] for ack in acks if ack.said] == [f"heard web-01 unit{number}" for number in range(20)]


async def _all_at_once(slack: SlackLab) -> list[Ack]:
    typed = [f"/mask web-01 unit{number}" for number in range(20)]
    return list(await asyncio.gather(*(asyncio.to_thread(slack.slash, "alice", "incident", text) for text in typed)))
