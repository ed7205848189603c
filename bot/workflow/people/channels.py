"""The channels and threads of the messages about a request."""

from bot.core.people.identity import Place
from bot.core.requests import Request
from bot.workflow.process.deps import Deps


def place_of(deps: Deps, request: Request) -> Place:
    """The channel of the card and its messages: the rule's, or the one where the request was made."""
    if request.route.card_channel:
        return Place(request.route.card_channel)
    return place_asked(deps, request)


def place_asked(deps: Deps, request: Request) -> Place:
    """Where the request was made; for the command line, the policy's channel for it."""
    place = request.ask.place
    return Place(deps.in_force.policy.shell_channel) if place.is_shell else place


def thread_of(request: Request, channel: str, ts: str) -> Place:
    """The thread of the card, once it is posted: its own, or the one in which the request was made."""
    asked = request.ask.place
    return Place(channel, thread=asked.thread if asked.channel == channel and asked.thread else ts)
