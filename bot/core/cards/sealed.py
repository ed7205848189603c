"""Sealed notes: the hidden data of forms, and of buttons that one person alone sees.

Whoever has the bot's tokens can post and open what they like. A note that the bot did not write for this person and
this form, or that is old, counts for nothing.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.audit.seal_keys import KeyRing
from bot.core.cards.blocks import Block

LASTS = timedelta(days=1)  # of a form; a Home tab may stay open for longer
BUTTON_LASTS = timedelta(days=7)
_NOTE, _BUTTON = "note", "button"  # domains
_PARTS = 5  # of the value of a sealed button


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
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is no sealed note") from error
    if why := keys.fault(_NOTE, _text(form, user, whole), kid, mac):
        raise ValueError(why)
    if now.timestamp() - at > LASTS.total_seconds():
        raise ValueError("the form was open for too long")
    return whole


def seal_buttons(blocks: Sequence[Block], *, user: str, now: datetime, keys: KeyRing) -> list[Block]:
    """The blocks with the values of their buttons sealed for the one person who sees them."""

    def sealed(element: Block) -> Block:
        if element.get("type") != "button" or ":" not in element.get("value", ""):
            return element
        value = f"{element['value']}:{int(now.timestamp())}"
        made = keys.seal(_BUTTON, _text(element["action_id"], user, value))
        return {**element, "value": f"{value}:{made.kid}.{made.mac}:"}

    return [
        {**block, "elements": [sealed(one) for one in block["elements"]]} if block.get("type") == "actions" else block
        for block in blocks
    ]


def is_sealed_for(user: str, value: str, *, action: str, now: datetime, keys: KeyRing) -> bool:
    """Whether the bot made the button with this value for this person, not long ago."""
    parts = value.split(":")
    if len(parts) != _PARTS or not parts[2].isdecimal():
        return False
    kid, _, mac = parts[3].partition(".")
    is_ours = not keys.fault(_BUTTON, _text(action, user, ":".join(parts[:3])), kid, mac)
    return is_ours and now.timestamp() - int(parts[2]) <= BUTTON_LASTS.total_seconds()


def _text(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True)
