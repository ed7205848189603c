"""The rare actions that *Details* offers to the one person who may take them."""

from collections.abc import Iterator
from dataclasses import replace

from bot.core.cards import done
from bot.core.cards.blocks import Action
from bot.core.cards.break_glass import replaced_buttons
from bot.core.people.identity import PersonId
from bot.core.policy.model import Allow, Moment
from bot.core.requests import BreakGlass, Request, Stage
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import hold_action


def offered_actions(deps: Deps, request: Request, to: PersonId) -> tuple[Action, ...]:
    """The buttons to offer. The person's rights are checked again when they press one. Raises `Unverified`."""
    return tuple(_offered(deps, request, to))


def _offered(deps: Deps, request: Request, to: PersonId) -> Iterator[Action]:
    is_owner = to.key == request.owner.key
    if request.stage is Stage.WAITING:
        if is_owner and request.open_question:
            yield Action.ANSWER
        if _may_break_glass(deps, request, to):
            yield Action.BREAK_GLASS
    if is_owner and request.can_be_handed_over:
        yield Action.HAND_OVER
    if request.stage is Stage.DONE:
        yield from replaced_buttons(request, done.actions(request, deps.clock.now()))
        yield from hold_action(deps, request)


def _may_break_glass(deps: Deps, request: Request, who: PersonId) -> bool:
    given = gather_facts(deps, with_break_glass(deps, request, who), Moment.BREAK_GLASS)
    return isinstance(evaluate(deps, given), Allow)


def with_break_glass(deps: Deps, request: Request, who: PersonId) -> Request:
    """The request as if the person used break-glass, with a sufficient reason and every confirmation."""
    reason = "?" * deps.in_force.policy.break_glass.min_reason_length
    return replace(
        request,
        break_glass=BreakGlass(
            who, "", reason, deps.clock.now(), request.target.digest, console_works=True, stepped_up=True
        ),
    )
