"""Render what people read: a renderer that fails is logged and counted, and a plainer version takes its place."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from bot.core.cards import done, fallback, observe
from bot.core.cards import render as _render
from bot.core.cards.blocks import Action, Text
from bot.core.requests import Request, Stage
from bot.workflow.process.deps import Deps

log = structlog.get_logger()
Drawn = TypeVar("Drawn")
_NOT_BELOW = (Action.DETAILS, Action.MASK_SET)


def render_or_fall_back(deps: Deps, kind: str, *ways: Callable[[], Drawn]) -> Drawn:
    """The result of the first of these functions that does not fail; the last one may raise.

    The functions only render. Whatever must be fetched is fetched before, since an outage is no render failure.
    """
    for number, way in enumerate(ways[:-1]):
        try:
            return way()
        except Exception:
            log.exception("rendering failed", kind=kind)
            if number == 0:
                deps.liveness.count_render_failure(kind)
    return ways[-1]()


def in_words(deps: Deps, request: Request, draw: Callable[[], str]) -> str:
    """A sentence about a request; if it cannot be rendered, a reference to the card takes its place."""
    return render_or_fall_back(deps, "sentence", draw, lambda: fallback.sentence(request))


def render_card(deps: Deps, request: Request) -> Text:
    """The card of a request in its stored state; while the bot only observes, it says so."""
    card = render_or_fall_back(
        deps, "card", lambda: _render(request, now=deps.clock.now()), lambda: fallback.card(request)
    )
    return observe.with_note(card) if deps.in_force.policy.observe else card


def live_actions(deps: Deps, mask: Request) -> tuple[Action, ...]:
    """The buttons below a message about a mask of ours: what can be done with it now."""
    if mask.stage is not Stage.DONE:
        return ()
    shown = (action for action in done.actions(mask, deps.clock.now()) if action not in _NOT_BELOW)
    return (*shown, *hold_action(deps, mask))


def hold_action(deps: Deps, mask: Request) -> tuple[Action, ...]:
    """The button that makes a mask a hold, where the policy names groups that may own one."""
    return (Action.HOLD,) if mask.can_be_held and deps.in_force.policy.holds.owners else ()
