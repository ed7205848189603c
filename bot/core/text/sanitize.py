"""Sanitize foreign text before anybody reads it."""

import re

_CHARACTERS = 64 * 1024

# ECMA-48: a string sequence (OSC, DCS, SOS, PM, APC) up to its terminator, a CSI sequence, any other; 7 and 8 bit.
_SEQUENCE = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]).*?(?:\x07|\x1b\\|\x9c|\Z)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)

# Invisible and reordering characters: C0, DEL, C1, zero width, direction, separators, tags, and what else Unicode calls
# ignorable (`Default_Ignorable_Code_Point`); the blank of Braille is no blank to `str.strip`.
_UNSEEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff\ud800-\udfff]"
)


def clean(text: str, *, lines: int = 40, width: int = 200) -> str:
    """Plain lines of visible characters: no terminal sequences, no reversed text, limited length.

    The text is not escaped for Slack yet: that happens last, where it is shown, so that no entity is ever cut in two.
    """
    plain = _SEQUENCE.sub("", text[:_CHARACTERS].replace("\t", " "))
    rows = [_UNSEEN.sub("", row.replace("\r", "")) for row in plain.split("\n")]
    while rows and not rows[-1].strip():
        rows.pop()
    short = [row if len(row) <= width else row[: width - 1] + "…" for row in rows[:lines]]
    if len(rows) > lines:
        short.append(f"... {len(rows) - lines} more lines")
    return "\n".join(short)
