"""The stored state of the kill switch: a row beside the requests, read at every decision about a mask."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.core.cards import kill_switch
from bot.core.cards.blocks import Text
from bot.core.kill_switch import KillSwitchState
from bot.core.requests import KillSwitch, Request
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import from_document
from bot.workflow.requests.results import Update

NAME = "kill_switch"


def read_state(document: Mapping[str, Any]) -> KillSwitchState:
    """The state as it is stored. A field of a newer version might stop masks too, so it is never ignored."""
    return from_document(KillSwitchState, document, unknown_keys="forbid")


def kill_switch_state(deps: Deps) -> KillSwitchState:
    """The whole state."""
    task = deps.store.get_periodic(NAME)
    return read_state(task.document) if task else KillSwitchState()


def with_kill_switch_note(deps: Deps, text: Text) -> Text:
    """An answer with the note that new masks are stopped, if they are: people must not miss it."""
    state = kill_switch_state(deps)
    return kill_switch.with_note(text, state.kill_switch, [asked.name for asked in state.turn_off_requests])


def active_kill_switch(deps: Deps, request: Request) -> KillSwitch | None:
    """Who stopped new masks, if that stops this request."""
    task = deps.store.get_periodic(NAME) if request.lasts_like_a_new_mask else None
    return read_state(task.document).kill_switch if task else None


def show_kill_switch(deps: Deps, request: Request) -> Request | Update:
    """Note in a waiting request, and so on its card, that the kill switch was turned on or off."""
    now = active_kill_switch(deps, request)
    return request if request.kill_switch == now else Update(replace(request, kill_switch=now))
