"""Routing: the channel and thread of a request's messages, whom its card mentions, which channels are told of it."""

from contextlib import suppress
from dataclasses import replace

from bot.core.cards import routing as words
from bot.core.people.identity import Place
from bot.core.policy.model import Allow, NeedsApproval, Routing
from bot.core.requests import Request, Route
from bot.errors import NotYet, Unverified
from bot.ports import Message, MessageKind
from bot.workflow.people.membership import mention_ids
from bot.workflow.process.deps import Deps


def route(deps: Deps, request: Request, decision: Allow | NeedsApproval) -> tuple[Request, list[Message]]:
    """The request with its route, and the messages that its route asks for, once its card is posted."""
    asked, home = request.ask.place, place_asked(deps, request)
    route = _inherited_route(deps, request) if isinstance(decision, Allow) else None
    route = route or _route(deps, request, decision.routing, home.channel)
    card = Place(route.card_channel) if route.card_channel else home
    body = words.announced(request, waits=isinstance(decision, NeedsApproval))
    said = [Message(MessageKind.NOTE, place=Place(told), body=body, links_card=True) for told in route.told]
    if not (asked.is_shell or asked.channel == card.channel or request.ask.by_itself):
        where = words.elsewhere(request, _name_of(deps, card))
        said.append(Message(MessageKind.NOTE, to=request.owner.user, place=asked, body=where, links_card=True))
    if isinstance(decision, Allow):
        return replace(request, route=replace(route, mentions=())), said
    if card.thread and route.mentions:  # the card mentions nobody in a thread, so a note in the channel does, once
        place, body = Place(card.channel), words.needed(request)
        said.append(Message(MessageKind.NOTE, place=place, mentions=route.mentions, body=body, links_card=True))
        route = replace(route, mentions=())
    return replace(request, route=route), said


def _route(deps: Deps, request: Request, routing: Routing, asked: str) -> Route:
    card_channel = routing.card_channel if routing.card_channel != asked else ""
    card = card_channel or asked
    return Route(
        card_channel=card_channel,
        mentions=tuple(one for one in mention_ids(deps, routing.mention) if one != request.owner.user),
        told=tuple(channel for channel in routing.tell if channel != card and _is_channel_allowed(deps, channel)),
        stays=_is_private(deps, request.ask.place) and not routing.from_private,
    )


def _inherited_route(deps: Deps, request: Request) -> Route | None:
    """The route of an undo or reapplied hold: where the mask was announced.

    A request by the bot itself has its card beside the mask's, and asks Slack nothing.
    """
    ask = request.ask
    mask_id = ask.undoes or (ask.repeats if ask.by_itself else "")
    mask = deps.store.get(mask_id) if mask_id else None
    if mask is None or request.ask.by_itself:
        return mask.route if mask else None
    return replace(mask.route, card_channel="") if mask.route.told else None


def _is_private(deps: Deps, place: Place) -> bool:
    """Whether the channel is private; an unknown one counts as private."""
    try:
        return deps.directory.place(place).is_private
    except (Unverified, NotYet):
        return True


def _is_channel_allowed(deps: Deps, channel: str) -> bool:
    """Whether only our own people read the channel; no message goes to one where that is not known."""
    try:
        place = deps.directory.place(Place(channel))
    except (Unverified, NotYet):
        return False
    return place.is_member and place.is_internal and not place.is_archived


def _name_of(deps: Deps, card: Place) -> str:
    """The name of the card's channel; empty where it is not known."""
    with suppress(Unverified, NotYet):
        return deps.directory.place(card).name
    return ""


def place_of(deps: Deps, request: Request) -> Place:
    """The channel of the card and its messages: the rule's, or the one where the request was made."""
    channel, ts = deps.store.card(request.ask.rollout) if request.ask.rollout else ("", "")
    if ts:  # in the thread of its rollout
        return thread_of(request, channel, ts)
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
