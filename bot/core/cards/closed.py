"""The card of a request that ended without running: who or what ended it, and that nothing was changed."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards import break_glass, ownership
from bot.core.cards.blocks import Action, Markup, Text, clock, escape, mention, message, row, section, words
from bot.core.cards.buttons import buttons
from bot.core.cards.titles import denial, is_rollout, requester_and_reason, stage_words, title
from bot.core.requests import Request, Stage


def card(request: Request, now: datetime) -> Text:
    """Refused, denied, withdrawn, timed out or cancelled."""
    return message(
        f"{stage_words(request).upper()} · {title(request)}",
        section("people", [*break_glass.rows(request), requester_and_reason(request)]),
        section("end", [*_end(request), _nothing_changed(request)]),
        buttons(request, break_glass.with_sign_off(request, (Action.DETAILS,))),
    )


def _nothing_changed(request: Request) -> Markup:
    return words("Nothing was changed on {}.", "any host" if is_rollout(request) else request.target.host)


def _end(request: Request) -> Iterator[Markup]:
    no = denial(request)
    if no:
        yield words("{} denied it {}", mention(no.voter, no.voter_name), clock(no.at))
        if no.reason:
            yield row("Why", no.reason)
    elif request.stage is Stage.WITHDRAWN:
        is_replaced = request.because == ownership.set_instead(request)
        instead = " to ask for it together with what triggers it" if is_replaced else ""
        yield words("{} withdrew it{}", mention(request.owner, request.owner_name), instead)
    if request.because and request.stage is not Stage.WITHDRAWN and not no:
        yield escape(request.because, width=500)
    if request.finished_at:
        yield row("Ended", clock(request.finished_at))
