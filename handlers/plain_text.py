"""Convert a message to plain lines for a terminal: the same sentences as in Slack, without its markup."""

import re
from collections.abc import Iterator, Mapping

from bot.core.cards.blocks import Text

_DATE = re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>")
_PERSON = re.compile(r"<@([A-Z0-9]+)>")
_LINK = re.compile(r"<https?://[^|>]*\|([^>]*)>")
_LABEL = re.compile(r"^(\s*)\*([^*]+)\*(:?) +", re.MULTILINE)
_TITLE = re.compile(r"^\*([^*\n]+)\*$", re.MULTILINE)
_FENCE = re.compile(r"^```\n?|\n?```$", re.MULTILINE)
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("\u200b", ""))


def lines(text: Text, names: Mapping[str, str]) -> list[str]:
    """The lines of a message; `names` are people's names by user id."""
    return [line for block in text.blocks for line in _words(block, names)] or [text.text]


def _words(block: Mapping[str, object], names: Mapping[str, str]) -> Iterator[str]:
    body = block.get("text")
    if isinstance(body, dict):
        yield from _plain(str(body.get("text", "")), names).split("\n")


def _plain(markup: str, names: Mapping[str, str]) -> str:
    """The text as Slack would show it. Foreign text is escaped, so only our own markup is removed."""
    plain = _LINK.sub(r"\1", _DATE.sub(r"\1", markup))
    plain = _PERSON.sub(lambda found: f"@{names.get(found[1], found[1])}", plain)
    plain = _TITLE.sub(r"\1", _LABEL.sub(r"\1\2: ", _FENCE.sub("", plain)))
    for entity, sign in _ENTITIES:
        plain = plain.replace(entity, sign)
    return plain
