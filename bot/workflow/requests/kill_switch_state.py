"""Whether new masks are stopped: a row beside the requests, read at every question about one."""

from dataclasses import replace

from bot.core.cards import kill_switch
from bot.core.cards.blocks import Text
from bot.core.kill_switch import KillSwitchState, decode
from bot.core.requests import KillSwitch, Request
from bot.ports import Claim
from bot.workflow.process.deps import Deps

NAME = "kill_switch"


def kill_switch_state(deps: Deps) -> KillSwitchState:
    """Everything that is kept about it."""
    task = deps.store.get_periodic(NAME)
    return decode(task.document) if task else KillSwitchState()


def stopped_too(deps: Deps, text: Text) -> Text:
    """The answer, and that new masks are stopped if they are: where people look they must not miss it."""
    state = kill_switch_state(deps)
    return kill_switch.above(text, state.kill_switch, [asked.name for asked in state.turn_off_requests])


def active_kill_switch(deps: Deps, request: Request) -> KillSwitch | None:
    """Who stopped new masks, if this would be one."""
    task = deps.store.get_periodic(NAME) if request.is_new_mask else None
    return decode(task.document).kill_switch if task else None


def start_kill_switch_state(deps: Deps, claim: Claim, request: Request) -> Request:
    """Let the card of what waits say that new masks are stopped, and when they are not any more."""
    now = active_kill_switch(deps, request)
    return request if request.kill_switch == now else deps.store.save(replace(request, kill_switch=now), claim=claim)
