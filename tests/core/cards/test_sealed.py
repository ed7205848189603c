"""Hidden data counts only if the bot wrote it, for this person, this form or button, and not long ago."""

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cards.sealed import BUTTON_LASTS, LASTS, is_sealed_for, read_note, seal_buttons, seal_note
from tests.core.situations import NOW
from tests.lab.keys import KEYS

NOTE = {"request": "r1", "channel": "C1"}
BUTTON = {"type": "button", "action_id": "unmask", "value": "r1:abc"}
ROW = {"type": "actions", "elements": [BUTTON]}
SECOND = timedelta(seconds=1)


def sealed() -> str:
    return seal_note(NOTE, form="deny_form", user="UBOB", now=NOW, keys=KEYS)


def test_a_form_is_good_for_a_day_and_a_page_for_a_week() -> None:
    assert (timedelta(days=1), timedelta(days=7)) == (LASTS, BUTTON_LASTS)


def test_a_note_comes_back_as_it_was_written() -> None:
    assert read_note(sealed(), form="deny_form", user="UBOB", now=NOW + LASTS, keys=KEYS).items() >= NOTE.items()


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", {}),
        ("{}", {}),
        ("[]", {}),
        ('"text"', {}),
        ("[" * 3000, {}),
        (json.dumps(NOTE), {}),
        (json.dumps({**NOTE, "at": 0, "kid": 1, "mac": "00"}), {}),
        (json.dumps({**NOTE, "at": 0, "kid": KEYS.keys[0].id, "mac": {"00": 0}}), {}),
        (sealed().replace('"C1"', '"shell"'), {}),
        (sealed(), {"user": "UMALLORY"}),
        (sealed(), {"form": "approve_form"}),
        (sealed(), {"now": NOW + LASTS + SECOND}),
    ],
)
def test_any_other_note_is_refused(text: str, changed: dict[str, object]) -> None:
    known: dict[str, object] = {"form": "deny_form", "user": "UBOB", "now": NOW, "keys": KEYS} | changed
    with pytest.raises(ValueError, match=r"."):
        read_note(text, **known)  # type: ignore[arg-type]


def test_a_button_is_one_persons_for_one_action_at_one_place() -> None:
    (row,) = seal_buttons([ROW], user="UBOB", where="C1", now=NOW, keys=KEYS)
    value = row["elements"][0]["value"]
    assert value.split(":")[:2] == ["r1", "abc"]
    assert row["elements"] == [{**BUTTON, "value": value}]

    def holds(text: str = value, later: timedelta = SECOND, **about: str) -> bool:
        just_so = {"user": "UBOB", "action": "unmask", "where": "C1"} | about
        return is_sealed_for(value=text, **just_so, now=NOW + later, keys=KEYS)

    assert holds()
    assert holds(later=BUTTON_LASTS)
    assert not holds(user="UMALLORY")
    assert not holds(action="details")
    assert not holds(where="home")
    assert not holds(value.replace("r1", "r2"))
    assert not holds(value[:-3] + "00:")
    assert not holds(later=BUTTON_LASTS + SECOND)
    assert not holds("r1:abc")
    assert not holds("r1:abc:x:y:")


def test_what_is_no_button_of_a_request_stays_as_it_is() -> None:
    other: list[dict[str, Any]] = [
        {"type": "section"},
        {"type": "actions", "elements": [{"type": "button", "value": "home"}, {"type": "x", "value": "r1:abc"}, {}]},
    ]
    assert seal_buttons(other, user="UBOB", where="home", now=NOW, keys=KEYS) == other
