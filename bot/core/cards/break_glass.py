"""Broken glass, said plainly: who went ahead alone, why, what was missing, and whether somebody has reviewed it."""

from collections.abc import Iterator, Sequence

from bot.core.cards.blocks import Action, Markup, clock, day, escape, joined, mention, row, words
from bot.core.input.names import REASON_LIMIT
from bot.core.requests import BreakGlass, Request

_MOST_BUTTONS = 4


def rows(request: Request) -> Iterator[Markup]:
    """What a card says of it, above everything else."""
    glass = request.break_glass
    if glass is None:
        return
    counts = request.is_break_glass or request.stage.is_final
    yield row(
        "BROKEN GLASS", _went(glass) if counts else words("{}, for another plan: it does not count", _went(glass))
    )
    yield row("Why alone", escape(glass.reason, width=REASON_LIMIT))
    yield row("Missing", _missing(glass))
    if glass.signed:
        yield row("Review", words("signed by {} {}", mention(glass.signed.by, glass.signed.name), day(glass.signed.at)))
        if glass.signed.remark:
            yield row("Remark", escape(glass.signed.remark, width=REASON_LIMIT))
    elif request.owes_review:
        yield row("Review", words("owed: somebody of {} who had no part in it signs it", _groups(glass)))


def with_review(request: Request, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The buttons under what is over, with the one for the review while it is owed; a fifth one gives way to it."""
    if not request.owes_review or not request.stage.is_final:
        return tuple(actions)
    others = [action for action in actions if action is not Action.DETAILS]
    return (*others[: _MOST_BUTTONS - 2], Action.SIGN, Action.DETAILS)


def gave_way(request: Request, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The buttons for which there is no room meanwhile: Details has them."""
    shown = with_review(request, actions)
    return tuple(action for action in actions if action not in shown)


def announcement(request: Request, glass: BreakGlass) -> str:
    """What everybody who was skipped is told."""
    said = f"BROKEN GLASS: {glass.name} goes ahead alone with `{request.ask.change}`. Missing: {_missing(glass)}."
    return f"{said}\nWhy: {glass.reason}\nA review is owed: one of you signs it on the card once it is over."


def reminder(request: Request, glass: BreakGlass) -> str:
    """The review is still owed."""
    said = f"A review is owed: {glass.name} went ahead alone with `{request.ask.change}`."
    return f"{said}\nWhy: {glass.reason}\nWhoever could have approved it signs it on the card."


def _went(glass: BreakGlass) -> Markup:
    return words("{} went ahead alone {}", mention(glass.by, glass.name), clock(glass.at))


def _missing(glass: BreakGlass) -> Markup:
    number = max(0, glass.need - glass.have)
    return words("{} approval{} of {}", number, "s" * (number != 1), _groups(glass))


def _groups(glass: BreakGlass) -> Markup:
    return joined([f"@{group.removeprefix('@')}" for group in glass.groups], " or ")
