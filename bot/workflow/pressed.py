"""A button under a card: the request that it belongs to, how that stands, and where what comes of it is said."""

from bot.core.changes import Request
from bot.core.people import Place
from bot.errors import NoSuchRequest, UsageError
from bot.workflow.parts import Parts
from bot.workflow.places import asked_at


def stored(parts: Parts, request_id: str) -> Request:
    """A request as it is stored. Raises `UsageError` where there is none."""
    try:
        return parts.store.get(request_id)
    except NoSuchRequest:
        raise UsageError("This button belongs to a request that is not on record any more.") from None


def beside(parts: Parts, request: Request, place: Place) -> Place:
    """Where the card of a follow-up goes: beside the first one, wherever the button was pressed."""
    if place.is_home:
        return asked_at(parts, request)
    return request.ask.place if place.channel == request.ask.place.channel else place


def how_it_stands(request: Request) -> str:
    """For whoever pressed it too late."""
    outcome = f", {request.target.outcome}" if request.target.outcome else ""
    back = ", taken back" if request.undone_by else ""
    return f"the request is {request.stage}{outcome}{back}.".replace("_", " ")
