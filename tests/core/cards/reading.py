"""Messages as a person reads them: Block Kit as plain text, for files that a reviewer can read."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.core.cards.blocks import Text

_DATE = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
_LINK = re.compile(r"<(https?://[^|>]*)\|([^>]*)>")


def read(text: Text, names: Mapping[str, str]) -> str:
    """The whole message; the fallback only where there are no blocks."""
    return "\n".join(_blocks(text.blocks, names)) if text.blocks else _plain(text.text, names)


def read_message(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The same for a message as Slack gives it back."""
    blocks = message.get("blocks") or ()
    return "\n".join(_blocks(blocks, names)) if blocks else _plain(message.get("text", ""), names)


def read_form(view: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """A form, with its fields."""
    frame = f"{view['title']['text']}  [{view['submit']['text']}] [{view['close']['text']}]"
    return "\n".join([frame, *_blocks(view["blocks"], names)])


def read_page(view: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Somebody's own page."""
    return "\n".join(_blocks(view["blocks"], names))


def _blocks(blocks: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[str]:
    for block in blocks:
        match block["type"]:
            case "header":
                yield block["text"]["text"]
            case "section":
                yield _plain(block["text"]["text"], names)
            case "actions":
                yield " ".join(f"[{button['text']['text']}]" for button in block["elements"])
                yield from _questions(block["elements"])
            case "input":
                yield _input(block)


def _questions(buttons: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for button in buttons:
        if asks := button.get("confirm"):
            answers = f"[{asks['confirm']['text']}] [{asks['deny']['text']}]"
            yield f"    {asks['title']['text']} {asks['text']['text']} {answers}"


def _input(block: Mapping[str, Any]) -> str:
    field = block["element"]
    options = " ".join(f"( ) {option['text']['text']}" for option in field.get("options", ()))
    need = "" if block["optional"] else " (required)"
    hint = f"\n    {block['hint']['text']}" if "hint" in block else ""
    chosen = field.get("initial_options") or [one for one in [field.get("initial_option")] if one]
    initial = field.get("initial_value") or ", ".join(one["text"]["text"] for one in chosen) or "________"
    return f"{block['label']['text']}{need}: {options or initial}{hint}"


def _plain(mrkdwn: str, names: Mapping[str, str]) -> str:
    said = _DATE.sub(r"\1", _LINK.sub(r"\2", mrkdwn))
    said = _MENTION.sub(lambda found: f"@{names[found[1]]}", said)
    said = re.sub(r"(?m)^\*([^*\n]+)\*", r"\1", said).replace("```\n", "").replace("\n```", "")
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
