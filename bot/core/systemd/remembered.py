"""A mask that the guard of a host made for the bot and remembers: known there also where our own record is lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.text.sanitize import clean

_WORD, _LONGEST = "mask", 300
_RAN = "ran"
_WORDS = 6  # of one mask: the unit, its user, the layer, the link, the request, and whether the unit ran


@dataclass(frozen=True, slots=True)
class RememberedMask:
    """A mask that the guard made and that nobody removed through it."""

    unit: str
    user: str  # whose own manager it is in; empty for the system's
    layer: str
    identity: str  # of the link, as that of `LayerFile`
    request: str
    ran: bool  # before it was masked


def is_remembered(line: str) -> bool:
    """Whether a line of the guard is about a mask of its own; the right of that name stands alone."""
    return line.startswith(f"{_WORD} ")


def read_remembered(lines: Iterable[str]) -> tuple[RememberedMask, ...] | None:
    """Those of the lines that are about masks; None if a guard of another version wrote them."""
    said = [line.split(" ")[1:] for line in lines if is_remembered(line)]
    return tuple(map(_mask, said)) if all(len(words) == _WORDS for words in said) else None


def _mask(words: Sequence[str]) -> RememberedMask:
    unit, user, layer, identity, request, ran = (clean(word, lines=1, width=_LONGEST) for word in words)
    return RememberedMask(unit, user.strip("-"), layer, identity, request.strip("-"), ran == _RAN)
