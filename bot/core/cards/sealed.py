"""Sealed notes: the hidden data of forms and of buttons.

Whoever has the bot's tokens can post, edit and open what they like. A note that the bot did not write for this person
and this form, or that is old, counts for nothing; neither does a button beside other words than the bot posted.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.core.audit.seal_keys import KeyRing
from bot.core.cards.blocks import Block, Text
from bot.core.cards.shown import Reading, buttons_in, labels, message_parts

LASTS = timedelta(days=1)  # of a form; a Home tab may stay open for longer
BUTTON_LASTS = timedelta(days=7)
_NOTE, _BUTTON, _CARD = "note", "button", "card"  # domains
_PARTS = 5  # of the value of a sealed button
_HEX = re.compile(r"[0-9a-f]{1,1000}", re.ASCII)
_SEAL_PARTS = 4  # of the seal of a button on a card


def seal_note(note: Mapping[str, Any], *, form: str, user: str, now: datetime, keys: KeyRing) -> str:
    """The note of a form that is opened for one person."""
    said = {**note, "at": int(now.timestamp())}
    made = keys.seal(_NOTE, _text(form, user, said))
    return json.dumps({**said, "kid": made.kid, "mac": made.mac})


def read_note(text: str, *, form: str, user: str, now: datetime, keys: KeyRing) -> dict[str, Any]:
    """The note of a form that somebody sent. Raises `ValueError` if the bot did not write it for this."""
    try:
        whole: dict[str, Any] = json.loads(text)
        kid, mac, at = whole.pop("kid"), whole.pop("mac"), whole["at"]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is no sealed note") from error
    if not (isinstance(kid, str) and isinstance(mac, str)):
        raise ValueError("it is no sealed note")
    if why := keys.fault(_NOTE, _text(form, user, whole), kid, mac):
        raise ValueError(why)
    if now.timestamp() - at > LASTS.total_seconds():
        raise ValueError("the form was open for too long")
    return whole


def seal_buttons(blocks: Sequence[Block], *, user: str, where: str, now: datetime, keys: KeyRing) -> list[Block]:
    """The blocks with the values of their buttons sealed for the one person who sees them, and where they see them.

    `where` is the channel of an answer, `home` for the Home tab, and empty for a form.
    """

    def sealed(element: Block) -> Block:
        value = f"{element['value']}:{int(now.timestamp())}"
        made = keys.seal(_BUTTON, _text(element["action_id"], user, where, value))
        return {**element, "value": f"{value}:{made.kid}.{made.mac}:"}

    return _with_buttons(blocks, sealed)


def is_sealed_for(user: str, value: str, *, action: str, where: str, now: datetime, keys: KeyRing) -> bool:
    """Whether the bot made the button with this value for this person and this place, not long ago."""
    parts = value.split(":")
    if len(parts) != _PARTS:
        return False
    kid, _, mac = parts[3].partition(".")
    is_ours = not keys.fault(_BUTTON, _text(action, user, where, ":".join(parts[:3])), kid, mac)
    return is_ours and now.timestamp() - int(parts[2]) <= BUTTON_LASTS.total_seconds()


def seal_card(text: Text, *, keys: KeyRing) -> Text:
    """A message for everybody, with the values of its buttons sealed together with every word that it shows.

    So each version that the bot posts verifies by itself, whenever somebody presses its buttons.
    """
    message = message_parts({"text": text.text, "blocks": text.blocks})
    reading = Reading()
    words, spoken = reading.read(message), labels(message)

    def sealed(element: Block) -> Block:
        about = (element["action_id"], element["value"], f"{reading.loose:x}", words)
        seen, heard = keys.seal(_CARD, _text(*about)), keys.seal(_CARD, _text(*about, spoken))
        seal = f"{reading.loose:x}.{seen.kid}.{seen.mac}.{heard.mac}"
        return {**element, "value": f"{element['value']}:{_CARD}:{seal}:"}

    return replace(text, blocks=tuple(_with_buttons(text.blocks, sealed)))


def posted_plan(message: Mapping[str, Any], *, keys: KeyRing) -> str:
    """The request and plan of a message with buttons, `ID:DIGEST`, if the bot posted it just so; otherwise empty.

    Every button has to fit the words. Which one was pressed does not matter: Slack may bring the present version of a
    message with a press on the version before it.
    """
    shown = message_parts(message)
    found = buttons_in(shown)
    about = {":".join(str(one.get("value", "")).split(":")[:2]) for one in found}
    if len(about) != 1 or not all(_fits(one, shown, keys) for one in found):
        return ""
    return about.pop()


def _fits(button: Mapping[str, Any], shown: Block, keys: KeyRing) -> bool:
    """Whether a button was posted beside these words.

    Slack may leave out what only screen readers say; if it is there, it has to be the bot's too.
    """
    parts = str(button.get("value", "")).split(":")
    seal = parts[3].split(".") if len(parts) == _PARTS and parts[2] == _CARD else []
    if len(seal) != _SEAL_PARTS or not _HEX.fullmatch(seal[0]):
        return False
    loose, kid, seen, heard = seal
    words, spoken = Reading(int(loose, 16)).read(shown), labels(shown)
    about = (button.get("action_id"), ":".join(parts[:2]), loose, words)
    if spoken:
        return not keys.fault(_CARD, _text(*about, spoken), kid, heard)
    return not keys.fault(_CARD, _text(*about), kid, seen)


def _with_buttons(blocks: Sequence[Block], sealed: Callable[[Block], Block]) -> list[Block]:
    """The blocks with the buttons that are about a request replaced."""

    def one(element: Block) -> Block:
        is_about_a_request = element.get("type") == "button" and ":" in element.get("value", "")
        return sealed(element) if is_about_a_request else element

    return [
        {**block, "elements": [one(element) for element in block["elements"]]}
        if block.get("type") == "actions"
        else block
        for block in blocks
    ]


def _text(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True)
