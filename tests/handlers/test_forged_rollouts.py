"""Somebody with the bot's tokens and the buttons and forms of rollouts, holds and ends: none of theirs counts."""

import json
from typing import Any

import pytest

from bot.core.cards import forms, replies
from bot.core.cards.buttons import value
from bot.core.requests import Outcome, Request, Stage
from tests.handlers.payloads import at_home, click, submission
from tests.handlers.test_edited_cards import EDITS, edited
from tests.handlers.test_notes import on_another_message, refusals
from tests.handlers.test_rollout import DONE, FAILED, READY, running
from tests.handlers.world import World

STEERS = ("go_on", "pause", "stop_here")
AFTERWARDS = ("undo_all", "retry_failed")
OF_MASKS = ("extend", "keep", "hold_it", "give_it_an_end")


@pytest.fixture
def mask(world: World) -> Request:
    running_one = world.moved(world.moved(world.waiting(), Stage.APPROVED), Stage.RUNNING)
    return world.moved(running_one, Stage.DONE, outcome=Outcome.PROVEN)


def form_of(world: World, action: str, mask: Request, **sender: Any) -> dict[str, Any]:
    world.send(click(action, value(mask), **sender))
    view = world.slack.call("views.open")["view"]
    return dict(json.loads(view) if isinstance(view, str) else view)


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("action", STEERS)
def test_nobody_steers_a_rollout_by_an_edited_card(world: World, action: str, edit: Any) -> None:
    request = running(world, DONE, READY)
    world.send(edited(action, value(request), edit, respond=f"{world.slack.base}respond"))
    assert world.store.get(request.id) == request
    assert world.slack.call("respond")["text"] == replies.EDITED


@pytest.mark.parametrize("action", [*STEERS, *AFTERWARDS])
def test_nor_by_a_button_on_another_message_or_on_the_card_of_one_of_its_targets(world: World, action: str) -> None:
    request = running(world, DONE, FAILED if action in AFTERWARDS else READY)
    if action in AFTERWARDS:
        request = world.moved(request, Stage.DONE)
    before = world.requests()
    world.send(on_another_message(action, value(request)))
    world.send(click(action, value(request), card="1700000000.000777"))
    assert world.requests() == before
    assert refusals(world) == ["message_mismatch"] * 2


@pytest.mark.parametrize("action", [*STEERS, *AFTERWARDS])
def test_nor_by_a_page_that_was_made_for_somebody_else(world: World, action: str) -> None:
    request = running(world, DONE, READY)
    stolen = json.loads(json.dumps(at_home(action, value(request), user="UBOB")).replace("UBOB", "UCAROL"))
    renamed = at_home("details", value(request))
    renamed["actions"][0]["action_id"] = action
    for body in (stolen, renamed):
        world.send(body)
    assert world.store.get(request.id) == request
    assert world.requests() == [request]


@pytest.mark.parametrize("action", OF_MASKS)
def test_no_form_opens_for_a_mask_on_another_message_of_ours(world: World, mask: Request, action: str) -> None:
    world.send(click(action, value(mask), card="1700000000.000777"))
    assert world.slack.count("views.open") == 0
    assert refusals(world) == ["message_mismatch"]


@pytest.mark.parametrize("action", ["extend", "keep"])
@pytest.mark.parametrize(
    "change",
    [{"request": "r2"}, {"channel": "shell"}, {"channel": "home", "card": ""}, {"at": 4_000_000_000}, {"card": "1.1"}],
    ids=str,
)
def test_the_note_of_a_form_cannot_be_changed(world: World, mask: Request, action: str, change: dict[str, Any]) -> None:
    form = form_of(world, action, mask)
    sent = submission(form, {"reason": "x", "longer": "4h", "review_on": "30d"})
    note = json.loads(sent["view"]["private_metadata"])
    sent["view"]["private_metadata"] = json.dumps(note | change)
    world.send(sent)
    assert [one.id for one in world.requests()] == [mask.id]
    assert refusals(world) == ["forged_note"]


def test_the_note_of_one_form_opens_no_other(world: World, mask: Request) -> None:
    """What was sealed for a later end is no approval, no hold, and no break-glass."""
    form = form_of(world, "extend", mask)
    names = (forms.APPROVE, forms.DENY, forms.HOLD, forms.KEEP, forms.BREAK_GLASS, forms.HAND_OVER, forms.SIGN_OFF)
    for name in names:
        sent = submission(form, {"reason": "x"})
        sent["view"]["callback_id"] = name
        world.send(sent)
    assert [one.id for one in world.requests()] == [mask.id]
    assert world.store.get(mask.id).followups == ()
    assert {*refusals(world)} == {"forged_note"}
