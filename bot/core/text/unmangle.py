"""Undo what Slack and phones do to a typed text, before it is parsed."""

import re
import unicodedata

# Zero-width space, non-joiner, joiner, word joiner, byte order mark, soft hyphen: pasted unnoticed.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_STRAIGHT = str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''")
_QUOTED = re.compile(r"""(["'`])([^"'`]+)\1""")
# Phones write `—runtime` for `--runtime`, and documents have non-breaking hyphens.
_BOLD = re.compile(r"([*_~]{1,2})((?:(?!\1)\S)+)\1")  # marks of Slack or of Markdown around one word
_OPENED = re.compile(r"([*_~])(?=[A-Za-z0-9@])(?!\S*\1)")
_LONG_DASH = re.compile(r"^(?:-?[\u2010-\u2015\u2212]{1,2}|[\u2012-\u2015\u2212]-)(?=[A-Za-z])")
_LINK = re.compile(r"<(?P<address>(?:https?://|mailto:)[^<>|\s]+)(?:\|(?P<label>[^<>|]*))?>")


def text(received: str) -> str:
    """Remove auto-links, entities and invisible characters from the whole text; apply it only once.

    Slack sends `&`, `<` and `>` as entities (its documentation, "Formatting message text"). A link is undone only if
    its label is its own address: any other one stays, and is refused wherever a name is expected.
    """
    return _unescape(_LINK.sub(_as_typed, received)).translate(_INVISIBLE)


def word(typed: str) -> str:
    """A word before the reason as it was meant: straight quotes, none around the whole word, `--` for a long dash."""
    plain = strip_marks(straight(typed))
    quoted = _QUOTED.fullmatch(plain)
    return _LONG_DASH.sub("--", quoted[2] if quoted else plain)


def strip_marks(typed: str) -> str:
    """A word without Slack's marks for bold, italic or struck: `*cron*`, also nested ones."""
    while marked := _BOLD.fullmatch(typed):
        typed = marked[2]
    return typed


def strip_word_marks(typed: str) -> str:
    """A text whose first words stand between such marks together (`*web-01 cron* why`), without these two marks."""
    opened = _OPENED.match(typed)
    if opened is None:
        return typed
    closed = re.compile(rf"(?<=\S)[{opened[1]}](?!\S)").search(typed, opened.end())
    return typed[1 : closed.start()] + typed[closed.end() :] if closed else typed


def straight(typed: str) -> str:
    """The text with straight quotes."""
    return typed.translate(_STRAIGHT)


def prose(typed: str) -> str:
    """A reason, as typed except for straight quotes and characters that no database or screen can hold."""
    plain = straight(typed).replace("\t", " ")
    return "".join(sign for sign in plain if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs")).strip()


def _unescape(received: str) -> str:
    """`&` last, so that nothing is undone twice."""
    return received.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _as_typed(link: re.Match[str]) -> str:
    """The typed text from which Slack made this link, or the link as it is."""
    address, label = link["address"], link["label"]
    if label is None:
        return address.removeprefix("mailto:")
    bare = address.removeprefix("mailto:").partition("://")[2] or address.removeprefix("mailto:")
    return label if label in (address, bare, bare.removesuffix("/")) else link[0]
