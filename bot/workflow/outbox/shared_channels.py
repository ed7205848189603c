"""A channel becomes shared with another organisation: cancel what waits there, and tell the operators."""

from contextlib import suppress

import structlog

from bot.core.audit.chain import Event
from bot.core.cards.shared_channel import SHARED, shared_notice
from bot.core.requests import Request, Stage
from bot.errors import Stale
from bot.ports import Message, MessageKind, Query
from bot.workflow.outbox.deliver import tell_directly
from bot.workflow.outbox.internal_only import CHANNEL_SHARED
from bot.workflow.people.routing import place_asked, place_of
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import close
from bot.workflow.requests.results import Closing, save

log = structlog.get_logger()
_WAITS = frozenset({Stage.ASKED, Stage.WAITING, Stage.APPROVED})
_ALL = 100_000


def cancel_waiting(deps: Deps, channel: str) -> None:
    """Cancel every request that waits in the channel, and report it. What runs is finished.

    A request that another thread moves on meanwhile is cancelled when its card is due to be edited there.
    """
    deps = deps.pinned()
    found = deps.store.find(Query(stages=_WAITS, limit=_ALL))
    waiting = [one for one in found if one.approval or not one.ask.rollout]  # the targets of a rollout end with it
    there = [one for one in waiting if channel in (place_of(deps, one).channel, place_asked(deps, one).channel)]
    cancelled = sum(_is_cancelled(deps, request) for request in there)
    log.warning("channel.shared", channel=channel, cancelled=cancelled)
    known = Event("channel.shared", "success", CHANNEL_SHARED, data={"channel": channel, "cancelled": cancelled})
    is_operations = channel == deps.in_force.policy.operations_channel
    notice = [] if is_operations else [Message(MessageKind.NOTE, body=shared_notice(channel, cancelled))]
    deps.store.record([known], notice)


def _is_cancelled(deps: Deps, request: Request) -> bool:
    with suppress(Stale):
        ended = save(deps, close(Closing(request, Stage.CANCELLED, SHARED, CHANNEL_SHARED), deps.clock.now()))
        if request.stage is not Stage.ASKED and not all(deps.store.card(request.id)):
            tell_directly(deps, ended)  # without a card there is no outcome line either
        return True
    return False
