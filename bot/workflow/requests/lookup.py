"""Look up the request of a button: its state, related requests, and where the next card goes."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.cards.request_status import not_on_record
from bot.core.people.identity import Caller
from bot.core.requests import Request, Stage
from bot.errors import NoSuchRequest, NotOnRecord
from bot.ports import Query
from bot.workflow.people.routing import place_asked
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update


def stored_request(deps: Deps, request_id: str) -> Request:
    """A request as it is stored. Raises `NotOnRecord` if there is none."""
    try:
        return deps.store.get(request_id)
    except NoSuchRequest:
        raise NotOnRecord(not_on_record()) from None


def update_stored_request(
    deps: Deps, request_id: str, change: Callable[[Request], tuple[Request, Sequence[Event]]]
) -> Request:
    """Change a request as it is stored (`update`). Raises `NotOnRecord` where there is none."""
    try:
        return update(deps, request_id, change)
    except NoSuchRequest:
        raise NotOnRecord(not_on_record()) from None


def beside_first_card(deps: Deps, request: Request, caller: Caller) -> Caller:
    """The caller at the place where the card of a follow-up goes: beside the first card, not where they pressed.

    On a page and below a direct message of the bot there is no room for a card.
    """
    if caller.place.is_home or caller.place.is_direct:
        return replace(caller, place=place_asked(deps, request))
    return replace(caller, place=request.ask.place) if caller.place.channel == request.ask.place.channel else caller


def with_requester_name(deps: Deps, request: Request) -> Request:
    """The request with the name of its requester, which not every payload says. Raises `Unverified`."""
    if request.ask.requester_name:
        return request
    name = deps.directory.person(request.ask.requester, ()).name
    return replace(request, ask=replace(request.ask, requester_name=name))


def undo_in_progress(deps: Deps, mask: Request) -> Request | None:
    """A running undo or other request about the mask; one that waits for approval does not count."""
    busy = frozenset({Stage.ASKED, Stage.APPROVED, Stage.RUNNING})
    whole = "" if mask.rollout else None  # the undo of a rollout is a rollout, among the many requests of its targets
    found = deps.store.find(Query(host=mask.target.host, unit=mask.target.unit, stages=busy, rollout=whole))
    return next((one for one in found if mask.id in (one.ask.undoes, one.ask.extends, one.ask.repeats)), None)
