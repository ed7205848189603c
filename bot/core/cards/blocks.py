"""Block Kit as data: the blocks we use, within Slack's limits, and foreign text made harmless.

`Markup` is text that may stand in a message as mrkdwn. All other text is foreign and is escaped where it is put in: so
text that somebody forgot to escape is shown as it was written and does nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.core.people.identity import PersonId
from bot.core.text.sanitize import clean
from bot.core.time.countdown import time_left

Block = dict[str, Any]

# Slack's limits (Block Kit reference). The limit on a whole message is not documented; 10,000 is well below
# the sizes that were refused.
HEADER, SECTION, LABEL, OPTION = 150, 3000, 75, 75
MESSAGE = 10_000
SPOKEN = 3900  # Slack accepts no text of more than 4,000 in an update
_CODE = 2600  # of a section, so that text fits beside it
_LEFT_OUT = "… too long to be shown here"

_MEMBER = re.compile(r"[UW][A-Z0-9]{1,20}", re.ASCII)
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,20}", re.ASCII)
_USER_GROUP = re.compile(r"S[A-Z0-9]{1,20}", re.ASCII)
_ROW = re.compile(r"^\*([^*\n]+)\*  ", re.MULTILINE)
_FENCE = "```"
_BEGINS = re.compile(r"`[^`]*`|(?<![^\W_])[*_~](?=\S)")  # or code, in which nothing begins
_LOOKS_LIKE = {"*": "\u2217", "~": "\u223c", "_": "\u200b_"}
_LINK = re.compile(r"https?://[A-Za-z0-9._:/?=&%-]{1,500}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Text:
    """A message: Block Kit blocks, and its text for notifications and screen readers."""

    text: str
    blocks: tuple[Block, ...] = ()


class Action(StrEnum):
    """The effect of a button; the enum's value is the button's `action_id`."""

    APPROVE = "approve"
    DENY = "deny"
    WITHDRAW = "withdraw"
    FORCE = "stop_by_force"
    DETAILS = "details"
    UNMASK = "unmask"
    MASK_AGAIN = "mask_again"
    START_AGAIN = "start_again"
    LOOK_NOW = "look_now"
    EXTEND = "extend"
    KEEP = "keep"
    GIVE_END = "give_it_an_end"
    HOLD = "hold_it"
    ASK = "ask"  # on the Home tab, like the next
    REFRESH = "refresh"
    ADOPT = "adopt"  # in a list of masks: about a mask that is not ours
    BREAK_GLASS = "break_glass"
    ANSWER = "answer"
    HAND_OVER = "hand_over"
    SIGN = "sign_off"
    GO_ON = "go_on"  # of a rollout, like the next
    PAUSE = "pause"
    STOP_HERE = "stop_here"
    UNDO_ALL = "undo_all"
    RETRY_FAILED = "retry_failed"
    MASK_SET = "mask_the_set"  # on the card of one unit


class Markup(str):
    """Text that may stand in a message as it is."""

    __slots__ = ()


def escape(text: str, *, width: int = 200) -> Markup:
    """Foreign text as one harmless line, cut to `width` characters; `Markup` stays as it is.

    Only `&`, `<` and `>` are special in mrkdwn (Slack, "Formatting text for app surfaces"). The text is cut first, so
    that no entity is ever split. Nothing foreign becomes bold, italic or struck out: rows of a card begin in bold.
    """
    if isinstance(text, Markup):
        return text
    return Markup(_unformatted(_harmless(clean(text.replace("\n", " "), lines=1, width=width))))


def _unformatted(text: str) -> str:
    """Signs that would begin bold, italic or struck out text are replaced by some that look alike, except in code."""
    return _BEGINS.sub(lambda found: _LOOKS_LIKE.get(found[0], found[0]), text)


def _harmless(text: str) -> Markup:
    """A zero-width space between two backticks keeps a run of them from opening or closing a code block."""
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(re.sub("`(?=`)", "`\u200b", entities))


def words(template: str, *parts: object) -> Markup:
    """A text of ours with foreign parts in place of `{}`."""
    return Markup(template.format(*(escape(part if isinstance(part, str) else str(part)) for part in parts)))


def join(parts: Iterable[str], separator: str = ", ", *, most: int = 8) -> Markup:
    """A list in one line; items that do not fit are counted."""
    items = [escape(part) for part in parts]
    more = [Markup(f"{len(items) - most} more")] if len(items) > most else []
    return Markup(separator.join([*items[:most], *more]))


def mention(person: PersonId, name: str = "") -> Markup:
    """A mention of a person by their Slack id; any other name is only shown."""
    return Markup(f"<@{person.user}>") if _MEMBER.fullmatch(person.user) else escape(name or person.user, width=80)


def ping(id_: str) -> Markup:
    """A mention of a person or user group that notifies them; anything else is only shown."""
    if _USER_GROUP.fullmatch(id_):
        return Markup(f"<!subteam^{id_}>")
    return Markup(f"<@{id_}>") if _MEMBER.fullmatch(id_) else escape(id_, width=80)


def in_channel(id_: str) -> Markup:
    """A channel by its id; Slack shows its name to those who may see it."""
    return Markup(f"<#{id_}>") if _CHANNEL.fullmatch(id_) else escape(id_, width=80)


def link_to(label: str, address: str) -> Markup:
    """A label with a link to one of our own messages, or the label alone without an address."""
    return Markup(f"<{address}|{escape(label)}>") if _LINK.fullmatch(address) else escape(label)


def clock(at: datetime) -> Markup:
    """A time of day, shown in the reader's own time zone where Slack can."""
    return Markup(f"<!date^{int(at.timestamp())}^{{time_secs}}|{at.astimezone(UTC):%H:%M:%S} UTC>")


def day(at: datetime) -> Markup:
    """A date and time, in the reader's own time zone where Slack can."""
    form = "{date_short_pretty} {time}"
    return Markup(f"<!date^{int(at.timestamp())}^{form}|{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC>")


def until(end: datetime, now: datetime) -> Markup:
    """A future time and how far away it is: `03:17 (12 minutes left)`; with its date if that may be another day."""
    return Markup(f"{due(end, now)} ({time_left(end, now)})")


def due(end: datetime, now: datetime) -> Markup:
    """A future time; with its date if that may be another day."""
    near = end - now < timedelta(hours=12)
    form = "{time}" if near else "{date_short_pretty} {time}"
    plain = f"{end.astimezone(UTC):{'%H:%M' if near else '%Y-%m-%d %H:%M'}} UTC"
    return Markup(f"<!date^{int(end.timestamp())}^{form}|{plain}>")


def row(label: str, text: str) -> Markup:
    """A line of a card: label and text."""
    return Markup(f"*{label}*  {escape(text)}")


def code(text: str, *, most: int = _CODE, lines: int = 40) -> Markup:
    """Foreign lines in a code block, as many as fit into `most` characters once they are escaped."""
    rows = [_harmless(line) for line in clean(text, lines=lines).split("\n")]
    kept = list(_fitting(rows, most))
    cut = [f"… {len(rows) - len(kept)} more lines"] if len(kept) < len(rows) else []
    return Markup("```\n" + "\n".join([*kept, *cut]) + "\n```")


def header(text: str) -> Block:
    """The head line: a text of ours, a unit and a host."""
    return {"type": "header", "block_id": "head", "text": plain_text(text, HEADER)}


def section(block_id: str, lines: Iterable[str]) -> Block:
    """Lines of mrkdwn; those beyond Slack's limit are counted instead of shown."""
    rows = [escape(line, width=500) for line in lines]
    kept = list(_fitting(rows, SECTION - 30))
    cut = [f"… {len(rows) - len(kept)} more lines"] if len(kept) < len(rows) else []
    # `verbatim`: Slack turns nothing that people wrote into links, names or channels.
    text = {"type": "mrkdwn", "text": "\n".join([*kept, *cut]) or "-", "verbatim": True}
    return {"type": "section", "block_id": block_id, "text": text}


def _fitting(rows: Sequence[Markup], most: int) -> Iterable[Markup]:
    for line in rows:
        most -= len(line) + 1
        if most < 0:
            return
        yield line


def plain_text(text: str, most: int) -> Block:
    """Plain text without the characters that are special elsewhere."""
    line = clean(text.replace("\n", " "), lines=1, width=most)
    return {"type": "plain_text", "text": re.sub(r"[<>&]", "", line) or " ", "emoji": False}


def option(text: str, value: str) -> Block:
    """An option of a list."""
    return {"text": plain_text(text, OPTION), "value": value}


def message(head: str, *blocks: Block, instead: Mapping[str, Sequence[str]] | None = None) -> Text:
    """A message with its head line, with which a notification begins.

    Sections beyond our limit for a message are left out, with a note. `instead` is the text for screen readers in place
    of a section, by the section's id.
    """
    left, kept = MESSAGE - HEADER - LABEL * len(blocks), [header(head)]
    for block in blocks:
        size = len(block.get("text", {}).get("text", ""))
        fits = size <= left
        left -= size if fits else 0
        kept.append(block if fits else section(block["block_id"], [_LEFT_OUT]))
    return Text(screen_reader_text(head, kept, instead or {}), tuple(kept))


def screen_reader_text(head: str, blocks: Iterable[Block], instead: Mapping[str, Sequence[str]]) -> Markup:
    """The whole message as text for notifications and screen readers, which read this and not the blocks."""
    first, lines = escape(head, width=400), [line for block in blocks for line in _read_out(block, instead)]
    return Markup("\n".join([first, *_fitting(lines, SPOKEN - len(first))]))


def _read_out(block: Block, instead: Mapping[str, Sequence[str]]) -> Iterable[Markup]:
    """The text of a section for screen readers, with a colon after each bold label."""
    if block["block_id"] in instead:
        return [escape(line) for line in instead[block["block_id"]]]
    text = block["text"]["text"] if block["type"] == "section" else ""
    parts = [text] if _FENCE in text else text.split("\n")  # code is read out as a whole or not at all
    return [Markup(_ROW.sub(r"\1: ", part)) for part in parts if part]
