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

# Invisible and reordering characters: C0, DEL, C1, zero width, direction, separators, tags.
_UNSEEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef\ud800-\udfff]"
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
