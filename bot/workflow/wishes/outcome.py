"""What became of a wish: it was granted, or its author is told alone why not."""

from dataclasses import replace

from bot.core.changes import Request, Tally, Wish
from bot.core.policy import Refuse
from bot.ports import Claim, Message, MessageKind
from bot.workflow.ending import event, sentence
from bot.workflow.parts import Parts


def granted(request: Request, wish: Wish) -> Request:
    """The request with this wish granted; nothing is stored yet."""
    return _with(request, wish, replace(wish, tally=Tally.COUNTED))


def refuse_wish(parts: Parts, claim: Claim, request: Request, wish: Wish, no: Refuse) -> Request:
    """Store that it was refused, and say so to who wanted it."""
    refused = _with(request, wish, replace(wish, tally=Tally.REFUSED, refusal=sentence(no)))
    said_no = event(request, "wish.refused", outcome="denied", code=no.code, actor=wish.by, wanted=str(wish.wanted))
    told = Message(MessageKind.WHISPER, to=wish.by.user, body=sentence(no), place=wish.place)
    return parts.store.save(refused, events=[said_no], messages=[told], claim=claim)


def _with(request: Request, wish: Wish, answered: Wish) -> Request:
    return replace(request, wishes=tuple(answered if one == wish else one for one in request.wishes))
