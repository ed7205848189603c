"""Break-glass on cards and in messages: who used it, why, which approvals were missing, and who signed it off."""

from collections.abc import Iterator, Sequence

from bot.core.cards.blocks import Action, Markup, clock, day, escape, join, mention, row, words
from bot.core.input.names import REASON_LIMIT
from bot.core.requests import BreakGlass, Request

_MOST_BUTTONS = 4


def rows(request: Request) -> Iterator[Markup]:
    """The rows at the top of a card."""
    used = request.break_glass
    if used is None:
        return
    counts = request.is_break_glass or request.stage.is_final
    yield row("BREAK-GLASS", _use(used) if counts else words("{}, for another plan: does not count", _use(used)))
    yield row("Why", escape(used.reason, width=REASON_LIMIT))
    yield row("Missing", _missing(used))
    if used.signed:
        yield row("Sign-off", words("by {} {}", mention(used.signed.by, used.signed.name), day(used.signed.at)))
        if used.signed.remark:
            yield row("Remark", escape(used.signed.remark, width=REASON_LIMIT))
    elif request.owes_sign_off:
        yield row("Sign-off", words("still needed, from somebody of {} who took no part", _groups(used)))


def with_sign_off(request: Request, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The buttons of a finished request: four at most, one of them for an open sign-off."""
    sign = (Action.SIGN,) if request.owes_sign_off and request.stage.is_final else ()
    others = [action for action in actions if action is not Action.DETAILS]
    return (*others[: _MOST_BUTTONS - 1 - len(sign)], *sign, Action.DETAILS)


def replaced_buttons(request: Request, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The buttons for which there was no room: Details offers them."""
    shown = with_sign_off(request, actions)
    return tuple(action for action in actions if action not in shown)


def announcement(request: Request, used: BreakGlass) -> str:
    """The announcement to everybody who was skipped."""
    said = f"BREAK-GLASS: {used.name} uses break-glass for `{request.ask.words}`. Missing: {_missing(used)}."
    return f"{said}\nWhy: {used.reason}\nAfterwards one of you must sign it off on the card."


def reminder(request: Request, used: BreakGlass) -> str:
    """The reminder of an open sign-off."""
    said = f"A sign-off is owed: {used.name} used break-glass for `{request.ask.words}`."
    return f"{said}\nWhy: {used.reason}\nAnybody who could have approved the request can sign it off on its card."


def _use(used: BreakGlass) -> Markup:
    return words("{} used break-glass {}", mention(used.by, used.name), clock(used.at))


def _missing(used: BreakGlass) -> Markup:
    number = max(0, used.need - used.have)
    return words("{} approval{} from {}", number, "s" * (number != 1), _groups(used))


def _groups(used: BreakGlass) -> Markup:
    return join([f"@{group.removeprefix('@')}" for group in used.groups], " or ")
