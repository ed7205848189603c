"""Find what was left of the shipped examples: ids and a host key that are nobody's, which would lock everybody out."""

import re
from collections.abc import Iterator
from pathlib import Path

from bot.edges.private_files import Use, faults

# Every id in `hosts.yaml`, `policy.yaml` and docs/operations.md as they are shipped.
EXAMPLE_IDS = frozenset(
    {
        "T0123ABCD", "S0123ENG1", "U0123ABCD", "U0123BOB1", "U0123BOBADM", "U0123CAR1", "C0123ABCD", "C0123LEADS",
        "C0123OPS1", "C0123SEC1",
    }
)  # fmt: skip
EXAMPLE_KEY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"  # the digest of nothing
_WORD = re.compile(r"[A-Z][A-Z0-9]{4,}", re.ASCII)
_WHERE = {
    "T": "Write your workspace's id there, or leave `teams` out: then the bot's own workspace counts.",
    "S": "Write your own group's id there: in Slack, the menu of the user group, *Copy group ID*.",
    "U": "Write your own people's ids there: in Slack, a person's profile, three dots, *Copy member ID*.",
    "C": "Write your own channel's id there: in Slack, the channel's name, *About*, at the end.",
}
_HOST = "Write your own hosts there: `maskbot hosts import` imports them, `maskbot hosts scan` shows their keys."


def leftovers(path: Path) -> Iterator[tuple[str, str]]:
    """What is left of the example in a file, with its line, and what belongs there instead."""
    if any(fault.is_serious for fault in faults(path, Use.CONFIGURATION)):
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):  # it is being written; whoever reads it as a whole says what is wrong
        return
    for number, line in enumerate(lines, 1):
        used = line.partition("#")[0]
        for word in _WORD.findall(used):
            if word in EXAMPLE_IDS:
                yield f"{path}:{number}: {word} is a placeholder from the example file", _WHERE[word[0]]
        if EXAMPLE_KEY in used:
            yield f"{path}:{number}: this host has the placeholder key of the example file", _HOST
