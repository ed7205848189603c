"""The card while the outcome is unknown: what was seen last, and when the host is checked next."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards import break_glass, unit_state
from bot.core.cards.blocks import Action, Markup, Text, clock, message, row, section, words
from bot.core.cards.buttons import buttons
from bot.core.cards.outcomes import TITLES
from bot.core.cards.running import describe
from bot.core.cards.titles import approvals, requester_and_reason, subject
from bot.core.requests import Outcome, Request, Stage, Target, Verb


def card(request: Request, now: datetime) -> Text:
    """ "Not known yet", with what the bot does about it."""
    doing = "it stopped" if request.ask.change.verb is Verb.MASK else "the mask is gone"
    look_now = (Action.LOOK_NOW,) if request.stage is Stage.RUNNING else ()
    return message(
        f"{TITLES[Outcome.UNKNOWN]} · {subject(request)}",
        section("people", [words("Do not assume that {}.", doing), *_rows(request, now)]),
        section("asked", [*break_glass.rows(request), requester_and_reason(request), *approvals(request)]),
        buttons(request, break_glass.with_sign_off(request, (*look_now, Action.DETAILS))),
    )


def _rows(request: Request, now: datetime) -> Iterator[Markup]:
    target = request.target
    yield row("Last seen", _last_seen(target))
    if target.unknown_since:
        yield row("Lost", words("{}{}", clock(target.unknown_since), _after_what(target)))
    if target.note:
        yield row("Why", target.note)
    yield from _page_row(request)
    if request.stage is Stage.RUNNING:
        soon = request.due_at is None or request.due_at <= now
        next_look = "now" if soon or request.due_at is None else clock(request.due_at)
        yield row("Next check", words("{}. Nothing is sent before that.", next_look))
    else:
        by_hand = words("systemctl {}status {}", "--user " * bool(request.ask.change.user), str(target.unit))
        yield row("Next check", words("none: the bot has stopped checking. Check by hand: `{}`", by_hand))


def _page_row(request: Request) -> Iterator[Markup]:
    paging = request.paging
    if paging and paging.paged_at:
        yield row("Paged", words("at {}", clock(paging.paged_at)))
    elif paging and paging.due_at:
        yield row("Will page", words("{}, if it is still not known", clock(paging.due_at)))


def _last_seen(target: Target) -> str:
    seen = target.last_seen or target.before
    if seen is None:
        return "never"
    mask = "mask in place" if seen.mask_layers or seen.is_masked else "not masked"
    return f"{unit_state.activity(seen)}, {mask}"


def _after_what(target: Target) -> Markup:
    return words(", while {}", describe(target.sent[-1])) if target.sent else words("")
