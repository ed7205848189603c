"""What somebody with the bot's tokens sends back: buttons on other messages, and forms with notes of their own."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.cards import forms, replies
from bot.core.cards.buttons import value
from bot.core.cards.sealed import seal_note
from bot.core.requests import Outcome, Request, Stage
from tests.handlers.payloads import CARD, CHANNEL, DIRECT, at_home, click, for_one, posted, submission
from tests.handlers.world import World
from tests.lab.keys import KEYS


@pytest.fixture
def masked(world: World) -> Request:
    running = world.moved(world.moved(world.waiting(), Stage.APPROVED), Stage.RUNNING)
    return world.moved(running, Stage.DONE, outcome=Outcome.PROVEN)


def on_another_message(action: str, text: str, **sender: Any) -> dict[str, Any]:
    """A button of ours on a message that somebody else made."""
    forged = json.loads(json.dumps(click(action, text, **sender)).replace(CARD, "1700000000.999999"))
    assert isinstance(forged, dict)
    return forged


def refusals(world: World) -> list[str]:
    return [event["reason_code"] for event in world.events("identity.refused")]


@pytest.mark.parametrize("action", ["unmask", "details", "extend", "keep", "sign_off", "withdraw", "look_now"])
def test_a_forged_got_it_does_nothing(world: World, masked: Request, action: str) -> None:
    world.send(on_another_message(action, value(masked)))
    assert [one.id for one in world.requests()] == [masked.id]
    assert refusals(world) == ["message_mismatch"]
    assert world.slack.count("views.open") == 0


def test_a_button_about_no_request_works_wherever_it_stands(world: World) -> None:
    world.send(on_another_message("adopt", "web-01%20cron.service"))
    assert refusals(world) == []
    assert world.slack.count("views.open") == 1


def test_the_same_button_on_its_card_works(world: World, masked: Request) -> None:
    world.send(click("unmask", value(masked)))
    assert len(world.requests()) == 2
    assert refusals(world) == []


def test_a_button_of_one_persons_page_is_of_no_use_to_another(world: World, masked: Request) -> None:
    bobs = at_home("unmask", value(masked), user="UBOB")
    stolen = json.loads(json.dumps(bobs).replace("UBOB", "UCAROL"))
    world.send(stolen)
    assert [one.id for one in world.requests()] == [masked.id]
    world.send(bobs)
    assert len(world.requests()) == 2


@pytest.mark.parametrize("where", ["home", "C2", ""])
def test_a_button_for_one_person_is_of_no_use_elsewhere(world: World, masked: Request, where: str) -> None:
    here, elsewhere = (click("unmask", for_one("UBOB", "unmask", value(masked), place)) for place in (CHANNEL, where))
    for answer in (here, elsewhere):
        del answer["message"]  # it is an answer that only bob sees
    world.send(elsewhere)
    assert [one.id for one in world.requests()] == [masked.id]
    assert refusals(world) == ["message_mismatch"]
    world.send(here)
    assert len(world.requests()) == 2


def test_a_button_below_a_direct_message_works_while_the_message_is_as_it_was_posted(
    world: World, masked: Request
) -> None:
    pressed = click("unmask", value(masked)) | DIRECT
    edited = json.loads(json.dumps(pressed).replace("MASK cron.service on web-01?", "Press this to win."))
    ones_own = click("unmask", for_one("UBOB", "unmask", value(masked))) | DIRECT
    for wrong in (edited, ones_own):
        world.send(wrong)
    assert [one.id for one in world.requests()] == [masked.id]
    assert refusals(world) == ["message_mismatch"] * 2
    world.send(pressed)
    assert len(world.requests()) == 2


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_a_vote_on_a_page_that_somebody_else_made_is_none(world: World, action: str) -> None:
    asked = world.waiting()
    forged = at_home(action, value(asked))
    forged["actions"][0]["value"] = value(asked)  # without a seal
    world.send(forged)
    assert refusals(world) == ["message_mismatch"]
    assert world.slack.count("views.open") == 0


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_a_vote_on_a_card_that_is_not_noted_yet_is_one(world: World, action: str) -> None:
    asked = world.waiting(is_noted=False)
    world.send(click(action, value(asked)))
    assert refusals(world) == []
    assert len(world.store.get(asked.id).votes) + world.slack.count("views.open") == 1


def test_a_vote_for_another_request_than_the_message_is_about_counts_for_neither(world: World) -> None:
    asked = world.waiting()
    forged = click("approve", "r0:0123456789ab")
    forged["actions"][0]["value"] = value(asked)
    world.send(forged)
    assert world.store.get(asked.id).votes == ()


@pytest.mark.parametrize(("action", "forms"), [("approve", 0), ("deny", 1)])
def test_a_vote_on_a_message_of_somebody_else_counts_nothing_and_is_no_alarm_about_ours(
    world: World, action: str, forms: int
) -> None:
    """A denial goes on in a form that shows what the database says."""
    asked = world.waiting()
    forged = on_another_message(action, value(asked))
    forged["message"]["text"] = "Lunch?"
    world.send(forged)
    assert world.store.get(asked.id).votes == ()
    assert world.slack.count("views.open") == forms
    assert (world.events("slack.message_edited"), refusals(world)) == ([], [])


def forged_form(request: Request, **note: str) -> dict[str, Any]:
    """The form that confirms an approval, opened with a stolen trigger and a note that nobody sealed."""
    form = forms.confirm_form(request)
    return {**form, "private_metadata": json.dumps({"request": request.id, "digest": request.target.digest, **note})}


@pytest.mark.parametrize("note", [{"channel": "shell"}, {"channel": "home"}, {"channel": "C1", "card": CARD}])
def test_a_form_on_a_stolen_trigger_counts_no_vote(world: World, note: dict[str, str]) -> None:
    asked = world.waiting()
    answer = world.send(submission(forged_form(asked, **note), {}))
    assert world.store.get(asked.id).votes == ()
    assert refusals(world) == ["forged_note"]
    assert replies.NOT_OURS[:30] in answer.body


def test_a_form_that_was_opened_for_one_person_is_not_sent_by_another(world: World) -> None:
    asked = world.waiting()
    world.send(click("deny", value(asked), user="UBOB"))
    form = world.slack.call("views.open")["view"]
    stolen = json.loads(json.dumps(submission(form, {}, user="UBOB")).replace("UBOB", "UCAROL"))
    world.send(stolen)
    assert world.store.get(asked.id).votes == ()
    world.send(submission(form, {}, user="UBOB"))
    assert [vote.voter.user for vote in world.store.get(asked.id).votes] == ["UBOB"]


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_the_note_of_a_form_that_somebody_sent_is_of_no_use_below_other_words(world: World, action: str) -> None:
    """Whoever takes the events away has the note of a form that was sent, and can open a form of their own with it."""
    asked = world.waiting()
    world.send(at_home(action, value(asked)))
    form = world.slack.call("views.open")["view"]
    lunch = {**form, "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "Lunch?"}}]}
    answer = world.send(submission(lunch, {}))
    assert world.store.get(asked.id).votes == ()
    assert refusals(world) == ["forged_note"]
    assert replies.NOT_OURS[:30] in answer.body
    world.send(submission(form, {}))
    assert [vote.voter.user for vote in world.store.get(asked.id).votes] == ["UBOB"]


def test_a_note_that_says_nothing_about_words_is_none(world: World) -> None:
    asked = world.waiting()
    world.send(at_home("approve", value(asked)))
    form = world.slack.call("views.open")["view"]
    note, now = json.loads(form["private_metadata"]), datetime.now(UTC)
    without = {name: text for name, text in note.items() if name not in ("words", "loose", "kid", "mac")}
    for given in (without, note):
        again = seal_note(given, form=form["callback_id"], user="UBOB", now=now, keys=KEYS)
        assert world.store.get(asked.id).votes == ()
        world.send(submission({**form, "private_metadata": again}, {}))
    assert refusals(world) == ["forged_note"]
    assert [vote.voter.user for vote in world.store.get(asked.id).votes] == ["UBOB"]


def test_a_form_that_is_nested_without_end_is_none(world: World) -> None:
    asked = world.waiting()
    world.send(at_home("approve", value(asked)))
    form = world.slack.call("views.open")["view"]
    deep: Any = {"type": "section"}
    for _ in range(900):
        deep = {"type": "section", "elements": [deep]}
    world.send(submission({**form, "blocks": [deep]}, {}))
    assert world.store.get(asked.id).votes == ()
    assert refusals(world) == ["forged_note"]


@pytest.mark.parametrize(
    ("head", "is_as_posted", "typed"),
    [
        ("MASKED AND PROVEN · metrics.service on web-01", True, "web-01 metrics.service"),
        ("MASKED AND PROVEN · metrics.service on web-01", False, "HOST UNIT"),
        ("MASKED AND PROVEN · metrics.service on 2 of 2 hosts of @web", True, "HOST UNIT"),
    ],
)
def test_a_button_whose_request_is_lost_says_what_to_type(
    world: World, head: str, *, is_as_posted: bool, typed: str
) -> None:
    pressed = click("unmask", "r0000000000:abc", respond=f"{world.slack.base}respond")
    shown = posted("unmask", "r0000000000:abc", head=head)
    text = shown.text if is_as_posted else shown.text.replace("AND", "but")
    pressed["actions"][0]["value"] = shown.blocks[-1]["elements"][0]["value"]
    world.send({**pressed, "message": {**pressed["message"], "text": text, "blocks": [*shown.blocks]}})
    said = world.slack.call("respond")["text"]
    assert (
        f"no longer on record (as after a restore from an older backup). To undo a mask, type `/unmask {typed}`" in said
    )
