"""Close a request that does not run, with the sentence that its requester gets."""

from dataclasses import replace
from datetime import datetime

from bot.core.audit.request_event import event
from bot.core.people.identity import Place
from bot.core.requests import Request, Stage
from bot.ports import Message, MessageKind
from bot.workflow.requests.results import Closing, Update


def close(closing: Closing, now: datetime) -> Update:
    """Move the request into its final stage, and tell people why."""
    request, stage, because = closing.request, closing.stage, closing.because
    closed = event(request, f"request.{stage}", outcome="denied", code=closing.code, because=because)
    return Update(
        request.move(stage, because=because, finished_at=now, due_at=None),
        [*closing.events, closed],
        _last_words(closing),
    )


def _last_words(closing: Closing) -> list[Message]:
    """The requester alone is told if nobody else knows of the request.

    One by the bot itself has no requester to tell.
    """
    request = closing.request
    if request.ask.rollout and request.approval is None:  # the rollout's card says it
        return []
    if request.stage is not Stage.ASKED:
        return end_messages(request)
    said = replace(to_requester(request, closing.because), buttons_of=closing.buttons_of)
    return [] if request.ask.by_itself else [said]


def end_messages(request: Request) -> list[Message]:
    """The messages at the end of a request: to the card's channel, to whoever was told of it, and to its owner."""
    told = [Message(MessageKind.LINE, place=Place(channel)) for channel in request.route.told]
    # the command line shows it, and the bot itself reads nothing
    nobody = request.ask.place.is_shell or request.ask.by_itself
    owner = [] if nobody else [Message(MessageKind.LINE, to=request.owner.user)]
    return [Message(MessageKind.LINE), *told, *owner]


def to_requester(request: Request, body: str) -> Message:
    """A message for the requester or current owner alone."""
    return Message(MessageKind.WHISPER, to=request.owner.user, body=body)
