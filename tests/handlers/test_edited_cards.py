"""Somebody with the bot's token edits its cards and keeps the buttons: what was shown is not what is signed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.core.cards import replies
from bot.core.cards.buttons import value
from bot.core.requests import Outcome, Request, Stage, Verdict
from tests.handlers.payloads import CARD, CHANNEL, click, posted, submission
from tests.handlers.world import World

Payload = dict[str, Any]
HARMLESS = "MASK tmp-cleanup.timer on test-07?"


def harmless(message: Payload) -> None:
    message["blocks"][0]["text"]["text"] = message["text"] = HARMLESS


def above(message: Payload) -> None:
    words = {"type": "mrkdwn", "text": "This is only a test, press Approve."}
    message["blocks"].insert(0, {"type": "section", "block_id": "top", "text": words})


def hidden(message: Payload) -> None:
    del message["blocks"][0]


def fallback(message: Payload) -> None:
    message["text"] = HARMLESS


def attached(message: Payload) -> None:
    message["attachments"] = [{"text": "This is only a test, press Approve.", "fallback": "x"}]


def renamed(message: Payload) -> None:
    message["blocks"][-1]["elements"][0]["text"]["text"] = "Details"


def of_another_card(message: Payload) -> None:
    """The words of the card of another request, posted by the bot, above these buttons."""
    other = posted("approve", "r2:0123456789ab", head=HARMLESS)
    message["blocks"][0], message["text"] = other.blocks[0], other.text


EDITS = [harmless, above, hidden, fallback, attached, renamed, of_another_card]


def edited(action: str, text: str, edit: Callable[[Payload], None] = harmless, **sender: Any) -> Payload:
    """A press of a button on a card that somebody edited."""
    body: Payload = json.loads(json.dumps(click(action, text, **sender)))
    edit(body["message"])
    return body


def alarms(world: World) -> list[str]:
    return [event["reason_code"] for event in world.events("slack.message_edited")]


def form_of(world: World) -> Payload:
    view = world.slack.call("views.open")["view"]
    return dict(json.loads(view) if isinstance(view, str) else view)


@pytest.fixture
def masked(world: World) -> Request:
    running = world.moved(world.moved(world.waiting(), Stage.APPROVED), Stage.RUNNING)
    return world.moved(running, Stage.DONE, outcome=Outcome.PROVEN)


@pytest.mark.parametrize("edit", EDITS)
def test_an_approval_on_an_edited_card_takes_the_form_from_the_database(
    world: World, edit: Callable[[Payload], None]
) -> None:
    asked = world.waiting()
    world.send(edited("approve", value(asked), edit))
    assert world.store.get(asked.id).votes == ()
    form = form_of(world)
    said = json.dumps(form["blocks"])
    assert "MASK cron.service on web-01" in said
    assert "runaway job" in said
    assert HARMLESS not in said
    assert alarms(world) == ["message_edited"]

    world.send(submission(form, {}))
    (vote,) = world.store.get(asked.id).votes
    assert (vote.voter.user, vote.verdict) == ("UBOB", Verdict.APPROVE)


def test_operators_are_told_once_for_each_message(world: World) -> None:
    asked = world.waiting()
    for user in ("UBOB", "UCAROL", "UBOB"):
        world.send(edited("approve", value(asked), user=user))
    assert alarms(world) == ["message_edited"]
    notes = [due.message.body for due in iter(lambda: world.store.claim_message("poster"), None)]
    assert sum("SOMEBODY EDITS THE BOT'S CARDS" in str(body) for body in notes) == 1


def test_the_form_of_an_edited_card_asks_for_console_access_where_the_policy_does(world: World) -> None:
    asked = world.waiting(guarded="remote access")
    world.send(edited("approve", value(asked)))
    form = form_of(world)
    world.send(submission(form, {}))
    assert world.store.get(asked.id).votes == ()
    world.send(submission(form, {"console": ["console_works"]}))
    assert len(world.store.get(asked.id).votes) == 1


def test_a_button_without_a_seal_counts_as_edited(world: World) -> None:
    asked = world.waiting()
    body = click("approve", value(asked))
    body["actions"][0]["value"] = body["message"]["blocks"][-1]["elements"][0]["value"] = value(asked)
    world.send(body)
    assert world.store.get(asked.id).votes == ()
    assert alarms(world) == ["message_edited"]


def test_buttons_that_were_moved_to_the_message_of_another_request_count_for_neither(world: World) -> None:
    asked, other = world.waiting(), "1700000000.000777"
    body = click("approve", value(asked), card=other, respond=f"{world.slack.base}respond")
    world.send(body)
    assert "not on the request's own card" in world.slack.call("respond")["text"]
    world.send(edited("approve", value(asked), card=other, respond=f"{world.slack.base}respond"))
    assert "not on the request's own card" in world.slack.call("respond")["text"]
    assert world.store.get(asked.id).votes == ()
    assert world.slack.count("views.open") == 0


@pytest.mark.parametrize(
    "action",
    [
        *("unmask", "start_again", "mask_again", "withdraw", "stop_by_force", "look_now"),
        *("go_on", "pause", "stop_here", "undo_all", "retry_failed", "mask_the_set"),
    ],
)
def test_what_acts_at_once_does_nothing_on_an_edited_card(world: World, masked: Request, action: str) -> None:
    before = world.store.get(masked.id)
    world.send(edited(action, value(masked), user="UALICE", respond=f"{world.slack.base}respond"))
    assert world.slack.call("respond")["text"] == replies.EDITED
    assert world.requests() == [before]
    assert alarms(world) == ["message_edited"]
    world.send(click("unmask", value(masked)))
    assert len(world.requests()) == 2


@pytest.mark.parametrize("action", ["deny", "break_glass", "hand_over"])
def test_what_opens_a_form_anyway_shows_the_stored_request(world: World, action: str) -> None:
    asked = world.waiting()
    world.send(edited(action, value(asked)))
    assert "cron.service on web-01" in json.dumps(form_of(world)["blocks"])
    assert alarms(world) == ["message_edited"]


def test_an_earlier_version_of_the_card_counts_as_it_was_posted(world: World) -> None:
    """The bot edits its card as time passes. Slack brings the version that was pressed, or the one after it."""
    asked = world.waiting()
    body, earlier = click("approve", value(asked)), posted("approve", value(asked), head="MASK (14 minutes left)")
    body["message"] |= {"text": earlier.text, "blocks": [*earlier.blocks]}
    world.send(body)
    (vote,) = world.store.get(asked.id).votes
    assert vote.place is not None
    assert (vote.place.channel, alarms(world)) == (CHANNEL, [])
    assert world.store.card(asked.id) == (CHANNEL, CARD)


def test_a_press_on_the_plan_before_counts_for_no_plan(world: World) -> None:
    asked = world.waiting()
    body = click("approve", value(asked), respond=f"{world.slack.base}respond")
    now = posted("approve", f"{asked.id}:fedcba987654")
    body["message"] |= {"text": now.text, "blocks": [*now.blocks]}
    world.send(body)
    assert "plan has changed" in world.slack.call("respond")["text"]
    assert (world.store.get(asked.id).votes, alarms(world)) == ((), [])


def test_a_press_on_a_button_that_the_bot_has_taken_off_meanwhile_is_no_alarm(world: World, masked: Request) -> None:
    body = click("unmask", value(masked), respond=f"{world.slack.base}respond")
    body["message"]["blocks"] = []
    world.send(body)
    assert world.slack.call("respond")["text"] == replies.OLDER_CARD
    assert (len(world.requests()), alarms(world)) == (1, [])
