"""Slack's documented limits on blocks, as far as our cards could break them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Block = Mapping[str, Any]


def check(blocks: Sequence[Block], *, most: int = 50) -> list[str]:
    """What Slack would refuse; empty if nothing."""
    return list(_problems(blocks, most))


def _problems(blocks: Sequence[Block], most: int) -> Iterator[str]:
    if not 1 <= len(blocks) <= most:
        yield f"{len(blocks)} blocks"
    ids = [block.get("block_id", "") for block in blocks]
    if len(set(ids)) != len(ids) or "" in ids:
        yield f"block ids {ids}"
    if sum(len(block.get("text", {}).get("text", "")) for block in blocks) > 10_000:
        yield "too much text"
    for block in blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield from _text(block["text"], 150, "plain_text")
        case "section":
            yield from _text(block["text"], 3000, "mrkdwn")
        case "actions":
            elements = block["elements"]
            if not 1 <= len(elements) <= 25 or len({one["action_id"] for one in elements}) != len(elements):
                yield "elements"
            for button in elements:
                yield from _text(button["text"], 75, "plain_text")
                if len(button["accessibility_label"]) > 75 or len(button["value"]) > 2000:
                    yield "button"
        case "input":
            yield from _text(block["label"], 2000, "plain_text")
            if "hint" in block:
                yield from _text(block["hint"], 2000, "plain_text")
            for option in block["element"].get("options", ()):
                yield from _text(option["text"], 75, "plain_text")
        case other:
            yield f"type {other}"


def _text(text: Block, most: int, kind: str) -> Iterator[str]:
    if text["type"] != kind or not 1 <= len(text["text"]) <= most:
        yield f"{kind} of {len(text['text'])}"
    if kind == "plain_text" and text["emoji"] is not False:
        yield "emoji"
