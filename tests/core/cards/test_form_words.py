"""A form counts with the words with which the bot opened it, whatever Slack adds to them, and with no others."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.core.cards import forms
from bot.core.cards.form_words import form_words
from bot.core.input.draft import Draft
from tests.core.cards.cases import guarded

FORM = forms.confirm_form(guarded())
MASK = forms.mask_form(["db-01", "web-01"], Draft("web-01", "cron.service", reason="it is 🔥 & <hot>"))


def counts(opened: Any, sent: Any) -> bool:
    found = form_words(opened)
    return form_words(sent, found["loose"]) == found


def brought(form: Any) -> Any:
    """The form as Slack brings it back: with flags, defaults and parts of its own, and emoji and signs its own way."""
    form = json.loads(json.dumps(form, ensure_ascii=False).replace("🔥", ":fire:").replace("&", "&amp;"))
    for block in form["blocks"]:
        for part in (block, block.get("text", {}), block.get("label", {})):
            part |= {"emoji": True, "verbatim": False, "optional": False}
        if block["type"] == "input":
            block["dispatch_action"] = False
            block["element"]["dispatch_action_config"] = {"trigger_actions_on": ["on_enter_pressed"]}
    return form | {"id": "V1", "hash": "1.x", "state": {"values": {"reason": {"reason": {"value": "typed"}}}}}


@pytest.mark.parametrize("form", [FORM, MASK], ids=["confirm", "mask"])
def test_a_form_counts_as_it_was_opened(form: Any) -> None:
    assert counts(form, form)
    assert counts(form, brought(form))


def above(form: Any) -> None:
    form["blocks"].insert(0, {"type": "section", "text": {"type": "plain_text", "text": "Lunch?"}})


def drawn(form: Any) -> None:
    form["blocks"].insert(0, {"type": "image", "image_url": "https://a.example/lunch.png", "alt_text": "lunch"})


def nothing(form: Any) -> None:
    form["blocks"] = []


def called(form: Any) -> None:
    form["title"]["text"] = "Lunch"


def sends(form: Any) -> None:
    form["submit"]["text"] = "Cancel"


def smaller(form: Any) -> None:
    form["blocks"][0] = {"type": "context", "elements": [form["blocks"][0]["text"]]}


def other_choice(form: Any) -> None:
    (hosts,) = [block["element"] for block in form["blocks"] if block["block_id"] == forms.HOST]
    hosts["options"][0]["value"] = "web-01"


@pytest.mark.parametrize("edit", [above, drawn, nothing, called, sends, smaller])
def test_other_words_do_not_count(edit: Callable[[Any], None]) -> None:
    edited = copy.deepcopy(FORM)
    edit(edited)
    assert not counts(FORM, edited)


def test_a_choice_that_means_something_else_does_not_count() -> None:
    edited = copy.deepcopy(MASK)
    other_choice(edited)
    assert not counts(MASK, edited)


@pytest.mark.parametrize("part", ["title", "blocks", "submit", "close"])
def test_each_part_of_a_form_counts(part: str) -> None:
    one, other = ({part: [{"type": "plain_text", "text": text}]} for text in ("one", "other"))
    assert not counts(one, other)


@pytest.mark.parametrize(
    "name",
    ["type", "text", "value", "initial_value", "alt_text", "image_url", "thumbnail_url", "url", "name", "unicode"],
)
def test_whatever_a_part_shows_or_sends_counts(name: str) -> None:
    one, other = ({"blocks": [{"elements": [{name: text}]}]} for text in ("one", "other"))
    assert counts(one, one)
    assert not counts(one, other)
