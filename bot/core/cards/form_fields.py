"""The building blocks of forms."""

import json

from bot.core.cards.blocks import OPTION, Block, plain_text
from bot.core.input.names import REASON_LIMIT

REASON = "reason"
TITLE = 24


def modal(callback: str, title: str, submit: str, blocks: list[Block]) -> Block:
    """A form with these fields."""
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, TITLE),
        "submit": plain_text(submit, TITLE),
        "close": plain_text("Cancel", TITLE),
        "blocks": blocks,
    }


def input_block(name: str, label: str, element: Block, *, hint: str = "", optional: bool = False) -> Block:
    """A labelled field; a handler finds it by its name."""
    block = {"type": "input", "block_id": name, "label": plain_text(label, OPTION), "element": element}
    return block | {"optional": optional} | ({"hint": plain_text(hint, REASON_LIMIT)} if hint else {})


def text_input(name: str, initial: str, *, most: int = 255) -> Block:
    """A text field, filled with the person's own text, as it was typed."""
    box: Block = {"type": "plain_text_input", "action_id": name, "max_length": most}
    return box | {"multiline": name == REASON} | ({"initial_value": initial[:most]} if initial else {})


def note(**what: str) -> str:
    """Hidden data that comes back with the form."""
    return json.dumps(what)
