"""What a message shows, in a form in which the message that was sent equals the one that Slack brings back.

Slack adds ids and flags, turns emoji into names, and writes mentions, links and `&`, `<`, `>` in more than one way.
What people read stays as strict as that allows: an emoji may be any emoji, but only in a line that was sent with one.
"""

import re
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from bot.core.cards.blocks import Block

LABEL = "accessibility_label"
_NOT_SHOWN = frozenset({"block_id", "value", LABEL})  # the value of a button is sealed beside the words
_MOST_LOOSE = 4000  # lines; a button's value has room for no more
_REFERENCE = re.compile(r"<([@#!][^<>|]*)\|[^<>]*>")  # Slack shows the name that belongs to the id, not this one
_LINK = re.compile(r"<((?:https?://|mailto:)([^<>|]*?)/?)(?:\|([^<>]*))?>")
_CONTROL = re.compile(r"<([@#!][^<>]*|https?://[^<>]*|mailto:[^<>]*)>")
_WORD = re.compile("[^ \n]+")
_LONGEST_WORD = 600  # signs, a reason has 500; to put many accents in order takes the square of their number
_INVISIBLE = {0x200B: None, 0x200D: None, 0xFE0E: None, 0xFE0F: None, 0x0D: None, 0xA0: " "}
_PICTURE = (
    "(?:[0-9#*]\u20e3|[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff\U000e0020-\U000e007f])"
)
_HAS_PICTURE = re.compile(_PICTURE)
_PICTURES = re.compile(rf"(?:{_PICTURE}|:(?:[+-]1|100|1234|(?=[^:]*[a-z])[a-z0-9_+'-]+):)+")


class Reading:
    """Reads a message: while it is sealed, or with the lines that were found to have emoji when it was sealed."""

    def __init__(self, loose: int | None = None) -> None:
        self._given = loose
        self._line = 0
        self.loose = loose or 0  # a bit for each line that was sent with an emoji

    def read(self, part: Any) -> Any:
        """The words of a part of a message, and how they are arranged."""
        match part:
            case str():
                return [self._one(line.strip()) for line in _alike(part).split("\n")]
            case Mapping():
                unseen = _NOT_SHOWN | ({"style"} if "deny" in part else set())  # Slack's default for a question
                shown = (name for name in sorted(part) if name not in unseen and _has_words(part[name]))
                return {name: self.read(part[name]) for name in shown}
            case list() | tuple():
                return [self.read(one) for one in part]
        return None

    def _one(self, line: str) -> str:
        bit, self._line = 1 << self._line, self._line + 1
        if self._given is None and bit < 1 << _MOST_LOOSE and _HAS_PICTURE.search(line):
            self.loose |= bit
        return _PICTURES.sub("\ufffd", line) if self.loose & bit else line


def labels(part: Any) -> list[str]:
    """What screen readers say instead of the words on a button, in order."""
    match part:
        case Mapping():
            own = [part[LABEL]] if isinstance(part.get(LABEL), str) else []
            return [*own, *(label for name in sorted(part) for label in labels(part[name]))]
        case list() | tuple():
            return [label for one in part for label in labels(one)]
    return []


def buttons_in(part: Any) -> list[Mapping[str, Any]]:
    """All buttons of a message, wherever they stand in it."""
    match part:
        case Mapping():
            own = [part] if part.get("type") == "button" else []
            return [*own, *(button for one in part.values() for button in buttons_in(one))]
        case list() | tuple():
            return [button for one in part for button in buttons_in(one)]
    return []


def message_parts(message: Mapping[str, Any]) -> Block:
    """What people read of a message in one of Slack's payloads; the bot attaches nothing itself."""
    return {name: message.get(name) for name in ("text", "blocks", "attachments", "files")}


def _has_words(part: Any) -> bool:
    return isinstance(part, str | Mapping | list | tuple) and len(part) > 0


def _alike(text: str) -> str:
    """A text as it is compared, whichever way Slack wrote it."""
    plain = _LINK.sub(_as_typed, _REFERENCE.sub(r"<\1>", _WORD.sub(_composed, text)))
    marked = _CONTROL.sub("\x02\\1\x03", plain.translate(_INVISIBLE))
    whole = marked.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(" {1,3}", " ", whole).strip()


def _composed(word: re.Match[str]) -> str:
    """A word as most write it: no accent goes with a sign of another word."""
    return normalize("NFC", word[0]) if len(word[0]) <= _LONGEST_WORD else word[0]


def _as_typed(link: re.Match[str]) -> str:
    """An address that became a link is compared as it was typed."""
    whole, rest, label = link.groups()
    if label is None:
        return whole
    return label if label.rstrip("/") in (whole, rest) else link[0]
