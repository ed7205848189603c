"""What Slack and phones do to a typed text, undone before it is read."""

import re
import unicodedata

# Zero-width space, non-joiner, joiner, word joiner, byte order mark, soft hyphen: pasted along, and never seen.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_STRAIGHT = str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''")
_QUOTED = re.compile(r"""(["'`])([^"'`]+)\1""")
# Phones write `—runtime` for `--runtime`, and documents have hyphens that break no line.
_BOLD = re.compile(r"([*_~])((?:(?!\1)\S)+)\1")  # Slack's marks round one word
_OPENED = re.compile(r"([*_~])(?=[A-Za-z0-9@])(?!\S*\1)")
_LONG_DASH = re.compile(r"^(?:-?[\u2010-\u2015\u2212]{1,2}|[\u2012-\u2015\u2212]-)(?=[A-Za-z])")
_LINK = re.compile(r"<(?P<address>(?:https?://|mailto:)[^<>|\s]+)(?:\|(?P<label>[^<>|]*))?>")


def text(received: str) -> str:
    """Take off what the transport put on: auto-links, entities, invisible signs. Once, on the whole text.

    Slack sends `&`, `<` and `>` as entities (its documentation, "Formatting message text"). A link is undone only
    where its label is its own address: any other one stays, and is refused wherever a name is expected.
    """
    return _unescaped(_LINK.sub(_typed, received)).translate(_INVISIBLE)


def word(typed: str) -> str:
    """A word before the reason as it was meant: straight quotes, none round the whole, `--` for a long dash."""
    plain = unmarked(straight(typed))
    quoted = _QUOTED.fullmatch(plain)
    return _LONG_DASH.sub("--", quoted[2] if quoted else plain)


def unmarked(typed: str) -> str:
    """A word without the marks by which Slack shows it bold, italic or struck: `*cron*`, also one in the other."""
    while marked := _BOLD.fullmatch(typed):
        typed = marked[2]
    return typed


def unmarked_words(typed: str) -> str:
    """A text whose first words stand between such marks together (`*web-01 cron* why`), without these two."""
    opened = _OPENED.match(typed)
    if opened is None:
        return typed
    closed = re.compile(rf"(?<=\S)[{opened[1]}](?!\S)").search(typed, opened.end())
    return typed[1 : closed.start()] + typed[closed.end() :] if closed else typed


def straight(typed: str) -> str:
    """The same with straight quotes."""
    return typed.translate(_STRAIGHT)


def prose(typed: str) -> str:
    """A reason, kept as typed but for straight quotes, and without the signs that no database or screen can hold."""
    plain = straight(typed).replace("\t", " ")
    return "".join(sign for sign in plain if sign == "\n" or unicodedata.category(sign) not in ("Cc", "Cs")).strip()


def _unescaped(received: str) -> str:
    """`&` last, so that nothing is undone twice."""
    return received.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _typed(link: re.Match[str]) -> str:
    """What somebody typed that Slack made this link of, or the link as it is."""
    address, label = link["address"], link["label"]
    if label is None:
        return address.removeprefix("mailto:")
    bare = address.removeprefix("mailto:").partition("://")[2] or address.removeprefix("mailto:")
    return label if label in (address, bare, bare.removesuffix("/")) else link[0]
