"""What our messages and forms must hold beyond what Slack refuses: every id is set, no emoji, and never too long."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.core.cards.blocks import MESSAGE, Block, Text
from tests.lab.slack import blockrules


def problems(said: Text | Block) -> list[str]:
    """What Slack would refuse, or we do not want; empty if nothing."""
    if isinstance(said, Text):
        blocks = list(said.blocks)
        length = blockrules.total(blocks)
        too_long = [f"{length} characters"] if length > MESSAGE or not 0 < len(said.text) <= 4000 else []
        return [*blockrules.check(blocks), *_without_ids(blocks), *_with_emoji(blocks), *too_long]
    return [*blockrules.check_view(said), *_without_ids(said["blocks"]), *_with_emoji(said)]


def _without_ids(blocks: list[Block]) -> Iterator[str]:
    parts = [part for block in blocks for part in (*block.get("elements", ()), *_element(block))]
    yield from (f"no block_id: {block}" for block in blocks if not block.get("block_id"))
    yield from (f"no action_id: {part}" for part in parts if not part.get("action_id"))


def _element(block: Block) -> list[Block]:
    return [block["element"]] if "element" in block else []


def _with_emoji(part: Any) -> Iterator[str]:
    match part:
        case {"type": "plain_text", "text": text, **rest}:
            if rest.get("emoji") is not False:
                yield f"emoji in {text}"
        case Mapping():
            for value in part.values():
                yield from _with_emoji(value)
        case list() | tuple():
            for value in part:
                yield from _with_emoji(value)
