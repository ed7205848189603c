"""Channels that become shared with another organisation, or are no longer (Slack Connect)."""

from bot.workflow import Desk
from handlers import payload as parse
from handlers.bolt import Surface
from handlers.payload import Payload


def register(surface: Surface) -> None:
    """Register both events."""
    surface.event("channel_shared", shared)
    surface.event("channel_unshared", unshared)


def shared(desk: Desk, event: Payload) -> str:
    """Nothing is posted there from now on, and what waits there is cancelled."""
    desk.channel_shared(parse.channel_of_event(event), is_shared=True)
    return ""


def unshared(desk: Desk, event: Payload) -> str:
    """Note that a channel is internal again, unless another organisation is still in it."""
    desk.channel_shared(parse.channel_of_event(event), is_shared=bool(event.get("is_ext_shared")))
    return ""
