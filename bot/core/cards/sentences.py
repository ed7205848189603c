"""Short messages: the outcome line in the channel, refusals, reminders, plain answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.cards.approval import approval_status
from bot.core.cards.blocks import Action, Markup, Text, escape, join, link_to, mention, ping, section, until, words
from bot.core.cards.buttons import buttons
from bot.core.cards.done import title
from bot.core.cards.live_mask import would_start
from bot.core.cards.rollout.heads import ending, is_whole
from bot.core.cards.titles import automatic_reason, denial, stage_words, subject, what
from bot.core.requests import Outcome, Request, Stage
from bot.core.text.sanitize import clean

_NO_NEED_TO_KNOW = (
    Outcome.PROVEN,
    Outcome.RESTORED,
    Outcome.UNMASKED,
    Outcome.CALLED_OFF,
    Outcome.NO_CHANGE,
    Outcome.EXTENDED,
    Outcome.KILLED,
)
_LINES, _WIDTH = 20, 500
NOBODY_THERE = "Its channel is gone, or the bot is no longer in it: nobody could see the card."


def line(request: Request, *, link: str, calls: bool = True) -> Text:
    """`masked and proven: worker.service on web-01 (alice, approved by bob)`, linked to the card at `link`.

    The owner is mentioned if there is something left to do or to know, because an edited card notifies nobody. Channels
    that are only told get a line with `calls` false, which mentions nobody.
    """
    told = link_to(f"{_ending(request)}: {subject(request)}", link)
    if request.ask.by_itself:
        return _as_text([words("{} ({})", told, automatic_reason(request))])
    good = request.stage is Stage.WITHDRAWN or _is_good(request)
    who = (
        escape(request.owner_name or request.owner.user, width=80)
        if good or not calls
        else mention(request.owner, request.owner_name)
    )
    return _as_text([words("{} ({})", told, join([who, *_others(request)]))])


def plain(sentence: str) -> Text:
    """A sentence of ours that may contain foreign text: a few lines, and nothing in them is special."""
    return _as_text([escape(row, width=_WIDTH) for row in clean(sentence, lines=_LINES, width=_WIDTH).split("\n")])


def note(sentence: str, *, mentions: Sequence[str] = (), link: str = "") -> Text:
    """A sentence that may contain foreign text, with mentions in front of it."""
    rows = [escape(row, width=_WIDTH) for row in clean(sentence, lines=_LINES, width=_WIDTH).split("\n")]
    called = [ping(one) for one in mentions]
    first = Markup(" ".join([*called, rows[0]]))
    shown = [first, *rows[1:]]
    return _as_text([*shown, link_to("the card", link)] if link else shown)


def with_buttons(text: Text, mask: Request, offered: Sequence[Action]) -> Text:
    """The text with buttons about a mask below it."""
    return replace(text, blocks=(*text.blocks, buttons(mask, offered, starts=would_start(mask)))) if offered else text


def outcome_without_card(card: str) -> str:
    """The outcome of a request whose card nobody sees any more, for another channel."""
    head = card.partition("\n")[0]
    return f"{head}. The channel of its card is gone, or the bot is no longer in it, so this is posted here."


def refusal(reason: str, hint: str = "") -> Text:
    """Why it was refused, and what would help."""
    return plain(f"{reason} {hint}".strip())


def _as_text(rows: list[Markup]) -> Text:
    block = section("said", rows if any(rows) else ["Nothing to say."])
    return Text(block["text"]["text"], (block,))


def _is_good(request: Request) -> bool:
    if request.rollout is not None:
        return request.stage is Stage.DONE and is_whole(request, request.rollout)
    return request.target.outcome in _NO_NEED_TO_KNOW


def _ending(request: Request) -> str:
    if request.stage is Stage.DONE and request.rollout is not None:
        return ending(request, request.rollout)
    if request.stage is Stage.DONE:
        return title(request).lower()
    return f"{stage_words(request)} ({what(request)})"


def _others(request: Request) -> list[Markup]:
    no = denial(request)
    if no:
        return [words("denied by {}", no.voter_name or no.voter.user)]
    names = [vote.voter_name or vote.voter.user for vote in request.counted_votes]
    approved = [words("approved by {}", join(names, " and "))] if names else []
    return [*approved, *([words("BREAK-GLASS by {}", request.break_glass.name)] if request.break_glass else [])]


def reminder(request: Request, *, by: datetime, mentions: Sequence[str], link: str, now: datetime) -> Text:
    """`@bob @carol The mask of worker.service on web-01 needs 1 approval by 03:17 (5 minutes left)`."""
    what = link_to(f"The {'longer ' * bool(request.ask.extends)}{request.ask.change.noun} of {subject(request)}", link)
    sentence = words("{} {} by {}.", what, approval_status(request), until(by, now))
    called = (ping(one) for one in mentions)
    said = join([*called, sentence], " ", most=len(mentions) + 1)
    return Text(said, (section("said", [said]),))
