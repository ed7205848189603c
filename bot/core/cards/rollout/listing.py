"""Every target of a rollout with how it stands and why, in as few messages as Slack's limits allow."""

from collections.abc import Iterable, Iterator

from bot.core.cards.blocks import (
    MESSAGE,
    SECTION,
    Block,
    Markup,
    Text,
    escape,
    join,
    screen_reader_text,
    section,
    words,
)
from bot.core.cards.rollout import counts
from bot.core.cards.titles import subject
from bot.core.requests import Request, Rollout

_ROOM = MESSAGE - 500  # characters of a message, beside its head
_PART = SECTION - 100  # characters of a section
_NOTE = 200
_DETAILS = 6000  # characters of Details


def listing(request: Request) -> tuple[Text, ...]:
    """The messages for the thread of the card; they mention nobody."""
    rollout = request.rollout or Rollout()
    pages = [*_pages(lines(request, rollout, room=_PART))]
    return tuple(_message(request, page, number, len(pages)) for number, page in enumerate(pages, start=1))


def of_rollout(request: Request, rollout: Rollout) -> list[Block]:
    """List the targets in the one message of *Details*, as far as it has room, and count the rest."""
    rows, size = [*lines(request, rollout)], 0
    kept = [row for row in rows if (size := size + len(row) + 1) <= _DETAILS]
    more = [words("… {} more lines, in the thread of the card", len(rows) - len(kept))] if len(kept) < len(rows) else []
    (page,) = _pages([*kept, *more])
    return [section(f"targets-{number}", part) for number, part in enumerate(page, start=1)]


def lines(request: Request, rollout: Rollout, *, room: int = 1000) -> Iterator[Markup]:
    """The targets by how they stand and by what is noted about them, in lines of at most `room` characters."""
    is_alone = counts.is_of_one_unit(rollout)
    for how, found in counts.by_word(request, rollout.targets).items():
        yield words("*{} {}*", len(found), how)
        by_note: dict[str, list[Markup]] = {}
        for one in found:
            by_note.setdefault(counts.note(request, one), []).append(counts.name(one, is_alone=is_alone))
        for note, names in by_note.items():
            why = words(": {}", escape(note, width=_NOTE)) if note else Markup("")
            for part in _parts(names, room - len(why)):
                yield words("{}{}", join(part, most=len(part)), why)


def _parts(names: Iterable[Markup], room: int) -> Iterator[list[Markup]]:
    part, size = list[Markup](), 0
    for one in names:
        if part and size + len(one) + 2 > room:
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one) + 2
    yield part


def _pages(rows: Iterable[Markup]) -> Iterator[list[list[Markup]]]:
    """The lines in sections, and these in messages."""
    page, part, size, left = list[list[Markup]](), list[Markup](), 0, _ROOM
    for line in rows:
        if size + len(line) + 1 > _PART:
            page.append(part)
            part, size = [], 0
        if left < len(line) + 1:
            yield [*page, part]
            page, part, size, left = [], [], 0, _ROOM
        part.append(line)
        size, left = size + len(line) + 1, left - len(line) - 1
    yield [*page, part]


def _message(request: Request, page: list[list[Markup]], number: int, of: int) -> Text:
    which = f", part {number} of {of}" if of > 1 else ""
    head = words("{}{}", subject(request), which)
    first = section("targets", [Markup(f"*{head}*")])
    parts = [section(f"targets-{count}", part) for count, part in enumerate(page, start=1) if part]
    return Text(screen_reader_text(head, parts, {}), (first, *parts))
