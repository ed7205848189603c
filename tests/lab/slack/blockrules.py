"""Validate Block Kit by Slack's documented limits and shapes; each violation is a sentence.

Slack publishes no schema and the stand-in accepts anything, so the rules are written from the Block Kit reference
(docs.slack.dev, "Blocks", "Block elements", "Views"). Nothing here needs more than the standard library.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.lab.slack import blockelements as elements
from tests.lab.slack.blockelements import Json, extra, ident, text

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN_TOTAL = 12_000
# Not documented; refused with `msg_blocks_too_long` at about this size (slackapi/bolt-js#2509).
MESSAGE_TOTAL = 13_200


def check(blocks: object, *, limit: int = MESSAGE_BLOCKS) -> list[str]:
    """What Slack would refuse in these blocks, one sentence each; an empty list is valid."""
    if not isinstance(blocks, list):
        return ["blocks: not a list"]
    found = [] if len(blocks) <= limit else [f"blocks: {len(blocks)} of them, at most {limit}"]
    for number, block in enumerate(blocks):
        found += _block(f"blocks[{number}]", block)
    found += _twice("block_id", blocks)
    markdown = sum(len(str(b.get("text", ""))) for b in blocks if isinstance(b, dict) and b.get("type") == "markdown")
    if markdown > MARKDOWN_TOTAL:
        found.append(f"blocks: {markdown} characters of markdown, at most {MARKDOWN_TOTAL}")
    return found


def check_view(view: object) -> list[str]:
    """What Slack would refuse in a modal or a Home tab."""
    if not isinstance(view, dict):
        return ["view: not an object"]
    found = check(view.get("blocks"), limit=VIEW_BLOCKS)
    found += ident("view", view, "callback_id")
    found += elements.at_most("view.private_metadata", view.get("private_metadata", ""), 3000)
    match view.get("type"):
        case "home":
            pass
        case "modal":
            found += _modal(view)
        case other:
            found.append(f"view.type: {other!r} is neither modal nor home")
    return found


def check_options(answer: object) -> list[str]:
    """What Slack would refuse in the options that a bot returned."""
    return [*elements.options("answer", answer)] if isinstance(answer, dict) else ["answer: not an object"]


def total(blocks: object) -> int:
    """The number of characters of text in a message's blocks."""
    match blocks:
        case str():
            return len(blocks)
        case dict():
            shown = ("text", "fields", "elements", "label", "hint", "title", "alt_text", "options", "accessory", "rows")
            return sum(total(value) for key, value in blocks.items() if key in shown)
        case list():
            return sum(map(total, blocks))
        case _:
            return 0


def _modal(view: Json) -> Iterator[str]:
    yield from text("view.title", view.get("title"), 24, only="plain_text")
    for name in ("submit", "close"):
        if name in view:
            yield from text(f"view.{name}", view[name], 24, only="plain_text")
    blocks = view.get("blocks")
    asks = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if asks and "submit" not in view:
        yield "view.submit: missing, and the form has inputs"


def _twice(key: str, items: Sequence[object]) -> Iterator[str]:
    counted = Counter(item.get(key) for item in items if isinstance(item, dict))
    yield from (f"{key} {name!r}: used {times} times" for name, times in counted.items() if name and times > 1)


def _block(where: str, block: object) -> Iterator[str]:
    if not isinstance(block, dict):
        yield f"{where}: not an object"
        return
    kind = str(block.get("type"))
    if kind not in BLOCKS:
        yield f"{where}.type: {kind!r} is no block"
        return
    keys, rule = BLOCKS[kind]
    yield from extra(where, block, {"type", "block_id", *keys.split()})
    yield from ident(where, block, "block_id")
    yield from rule(where, block)


def _section(where: str, block: Json) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield f"{where}: neither text nor fields"
    if "text" in block:
        yield from text(f"{where}.text", block["text"], 3000)
    if "fields" in block:
        fields = block["fields"]
        yield from elements.count(f"{where}.fields", fields, 10)
        for number, field in enumerate(fields if isinstance(fields, list) else ()):
            yield from text(f"{where}.fields[{number}]", field, 2000)
    if "accessory" in block:
        yield from elements.check(f"{where}.accessory", block["accessory"], elements.ACCESSORY)


def _header(where: str, block: Json) -> Iterator[str]:
    yield from text(f"{where}.text", block.get("text"), 150, only="plain_text")


def _context(where: str, block: Json) -> Iterator[str]:
    parts = block.get("elements")
    yield from elements.count(f"{where}.elements", parts, 10)
    for number, part in enumerate(parts if isinstance(parts, list) else ()):
        place = f"{where}.elements[{number}]"
        if isinstance(part, dict) and part.get("type") == "image":
            yield from elements.image(place, part)
        else:
            yield from text(place, part, 3000)


def _actions(where: str, block: Json) -> Iterator[str]:
    parts = block.get("elements")
    yield from elements.count(f"{where}.elements", parts, 25)
    for number, part in enumerate(parts if isinstance(parts, list) else ()):
        yield from elements.check(f"{where}.elements[{number}]", part, elements.ACTIONS)
    if isinstance(parts, list):
        yield from (f"{where}: {line}" for line in _twice("action_id", parts))


def _input(where: str, block: Json) -> Iterator[str]:
    yield from text(f"{where}.label", block.get("label"), 2000, only="plain_text")
    if "hint" in block:
        yield from text(f"{where}.hint", block["hint"], 2000, only="plain_text")
    yield from elements.check(f"{where}.element", block.get("element"), elements.INPUT)


def _image(where: str, block: Json) -> Iterator[str]:
    yield from elements.image(where, block)
    if "title" in block:
        yield from text(f"{where}.title", block["title"], 2000, only="plain_text")


def _markdown(where: str, block: Json) -> Iterator[str]:
    if not isinstance(block.get("text"), str) or not block["text"]:
        yield f"{where}.text: empty or not a string"


def _has_elements(where: str, block: Json) -> Iterator[str]:
    yield from elements.count(f"{where}.elements", block.get("elements"), None)


def _table(where: str, block: Json) -> Iterator[str]:
    rows = block.get("rows")
    yield from elements.count(f"{where}.rows", rows, 100)
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        yield from elements.count(f"{where}.rows[{number}]", row, 20)


def _anything(_where: str, _block: Json) -> Iterator[str]:
    return iter(())


# Block type: the keys it may have beside `type` and `block_id`, and what must hold.
BLOCKS: Mapping[str, tuple[str, Callable[[str, dict[str, Any]], Iterator[str]]]] = {
    "actions": ("elements", _actions),
    "context": ("elements", _context),
    "context_actions": ("elements", _has_elements),
    "divider": ("", _anything),
    "file": ("external_id source", _anything),
    "header": ("text", _header),
    "image": ("image_url slack_file alt_text title", _image),
    "input": ("label element hint optional dispatch_action", _input),
    "markdown": ("text", _markdown),
    "rich_text": ("elements", _has_elements),
    "section": ("text fields accessory expand", _section),
    "table": ("rows column_settings", _table),
    "video": (
        "alt_text author_name description provider_icon_url provider_name title title_url thumbnail_url video_url",
        _anything,
    ),
}
