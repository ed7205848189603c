"""Where what is said about a request belongs."""

from bot.core.people.identity import Place
from bot.core.requests import Request
from bot.workflow.process.deps import Deps


def place_of(deps: Deps, request: Request) -> Place:
    """Where its card is, and what is said beside it: where its rule says, or where it was asked."""
    if request.route.card_channel:
        return Place(request.route.card_channel)
    return asked_at(deps, request)


def asked_at(deps: Deps, request: Request) -> Place:
    """Where it was asked; of the command line, the policy's channel for it."""
    place = request.ask.place
    return Place(deps.policy.shell_channel) if place.is_shell else place


def thread_of(request: Request, channel: str, ts: str) -> Place:
    """The thread of its card, which stands there: its own, or the one that it was asked in."""
    asked = request.ask.place
    return Place(channel, thread=asked.thread if asked.channel == channel and asked.thread else ts)
