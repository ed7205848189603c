"""Whether new masks are stopped: a row beside the requests, read at every question about one."""

from dataclasses import replace

from bot.core.cards import kill_switch
from bot.core.cards.blocks import Text
from bot.core.kill_switch import State, read
from bot.core.requests import Frozen, Request, Verb
from bot.ports import Claim
from bot.workflow.process.deps import Parts

NAME = "freeze"


def freeze_state(parts: Parts) -> State:
    """Everything that is kept about it."""
    duty = parts.store.duty(NAME)
    return read(duty.document) if duty else State()


def stopped_too(parts: Parts, text: Text) -> Text:
    """The answer, and that new masks are stopped if they are: where people look they must not miss it."""
    state = freeze_state(parts)
    return kill_switch.above(text, state.frozen, [wish.name for wish in state.thaws])


def is_new_mask(request: Request) -> bool:
    """Whether a unit would be masked that is not masked by us yet."""
    return request.ask.change.verb is Verb.MASK and not request.ask.prolongs


def frozen(parts: Parts, request: Request) -> Frozen | None:
    """Who stopped new masks, if this would be one."""
    return freeze_state(parts).frozen if is_new_mask(request) else None


def note_freeze(parts: Parts, claim: Claim, request: Request) -> Request:
    """Let the card of what waits say that new masks are stopped, and when they are not any more."""
    now = frozen(parts, request)
    return request if request.frozen == now else parts.store.save(replace(request, frozen=now), claim=claim)
