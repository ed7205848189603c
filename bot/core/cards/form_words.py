"""What a form shows, so that its note counts with these words alone."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.core.cards.shown import Reading

_PARTS = ("title", "blocks", "submit", "close")
_SAID = ("type", "text", "value", "initial_value", "alt_text", "image_url", "thumbnail_url", "url", "name", "unicode")


def form_words(form: Mapping[str, Any], loose: str | None = None) -> dict[str, str]:
    """A digest of what a form says and of what can be chosen in it, and which of its lines have emoji.

    `loose` are the lines that had some when it was opened. What Slack adds to a form beside words makes no difference.
    """
    reading = Reading(None if loose is None else int(loose, 16))
    words = reading.read([*_said([form.get(part) for part in _PARTS])])
    return {"words": hashlib.sha256(json.dumps(words).encode()).hexdigest(), "loose": f"{reading.loose:x}"}


def _said(part: Any) -> Iterator[str]:
    match part:
        case Mapping():
            yield from (part[name] for name in _SAID if isinstance(part.get(name), str))
            inner = [part[name] for name in sorted(part)]
        case list() | tuple():
            inner = [*part]
        case _:
            inner = []
    for one in inner:
        yield from _said(one)
