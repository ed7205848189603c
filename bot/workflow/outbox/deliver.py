"""Deliver outbox messages: cards show the stored request, other messages are posted once; outages only delay them."""

from contextlib import suppress
from datetime import timedelta

import structlog

from bot.core.audit.request_event import event
from bot.core.cards import evidence, fallback, line, note, plain, reminder
from bot.core.cards.blocks import Text
from bot.core.cards.sentences import NOBODY_THERE, outcome_without_card, with_buttons
from bot.core.cards.shared_channel import SHARED
from bot.core.people.identity import PersonId, Place
from bot.core.requests import Request, Stage
from bot.errors import NotSealed, NotYet, SlackError, Stale, Unverified
from bot.ports import DueMessage, Message, MessageKind
from bot.workflow.outbox.handover import compose_handover
from bot.workflow.outbox.internal_only import CHANNEL_SHARED
from bot.workflow.outbox.post_once import find_posted, plainer, post, post_all, post_or_find
from bot.workflow.paging import send_page
from bot.workflow.people.routing import place_asked, place_of, thread_of
from bot.workflow.process.deps import Deps
from bot.workflow.process.liveness import TOKEN_REFUSED
from bot.workflow.process.render import live_actions, render_card, render_or_fall_back
from bot.workflow.requests.closing import close
from bot.workflow.requests.results import Closing, save

log = structlog.get_logger()
_NO_AUDIENCE = frozenset({"is_archived", "not_in_channel", "channel_not_found", CHANNEL_SHARED})
_OPERATOR_MENDS = TOKEN_REFUSED | {"missing_scope"}
_LONGEST_PAUSE = 60.0  # seconds between two tries


def deliver(deps: Deps, due: DueMessage) -> None:
    """Deliver one due message, or postpone it, or drop it if nobody is left to read it."""
    request = deps.store.get(due.request_id) if due.request_id else None
    if due.message.until and deps.clock.now() > due.message.until:
        deps.store.mark_undelivered(due, retry_in=None)
        return
    try:
        if due.message.kind is MessageKind.PAGE:
            send_page(deps, due, request)
        elif request is None:
            _announce(deps, due)
        else:
            _about(deps, due, request)
    except SlackError as error:
        _not_said(deps, due, request, error)


def _about(deps: Deps, due: DueMessage, request: Request) -> None:
    match due.message.kind:
        case MessageKind.CARD:
            _card(deps, due, request)
        case MessageKind.LINE:
            _line(deps, due, request)
        case MessageKind.EVIDENCE:
            _evidence(deps, due, request)
        case MessageKind.WHISPER:
            _whisper(deps, due, request)
        case MessageKind.NOTE:
            _note(deps, due, request)
        case MessageKind.REMINDER:
            _reminder(deps, due, request)
        case MessageKind.DIRECT:
            _direct(deps, due, request)


def _card(deps: Deps, due: DueMessage, request: Request) -> None:
    """Post or edit the card. A card that an earlier try has posted may show an older version."""
    shapes, place, mark = (
        (render_card(deps, request), fallback.card(request)),
        place_of(deps, request),
        f"{request.id}:card",
    )
    channel = due.channel if due.ts else place.channel
    ts = due.ts or find_posted(deps, due, place, mark=mark)
    try:
        if ts:
            plainer(shapes, lambda shape: deps.channel.update(channel, ts, shape))
    except SlackError as error:
        if error.code != "message_not_found":
            raise
        ts = ""  # somebody deleted it
    ts = ts or post(deps, due, place, *shapes, mark=mark)
    post_or_find(deps, due, channel, ts, version=request.version)


def _line(deps: Deps, due: DueMessage, request: Request) -> None:
    """Post the outcome line in the card's channel and the rule's channels, and send it to an owner who is in
    neither.
    """
    message, (channel, ts) = due.message, deps.store.card(request.id)
    place = message.place or (Place(message.to) if message.to else place_of(deps, request))
    if message.to and _is_there(deps, request.owner, Place(channel)):
        deps.store.mark_delivered(due, channel=channel, ts="seen", version=request.version)
        return
    link, calls = deps.channel.permalink(channel, ts), place.channel == channel
    text = render_or_fall_back(
        deps, "line", lambda: line(request, link=link, calls=calls), lambda: fallback.line(request, link)
    )
    said = post(deps, due, place, text, mark=f"{request.id}:line:{due.id}")
    post_or_find(deps, due, place.channel, said, version=request.version)


def _is_there(deps: Deps, person: PersonId, place: Place) -> bool:
    """Whether the user is in that channel. If unknown, the line is sent twice rather than not at all."""
    try:
        return deps.directory.is_in(person, place)
    except (Unverified, NotYet):
        return False


def _evidence(deps: Deps, due: DueMessage, request: Request) -> None:
    channel, ts = deps.store.card(request.id)
    texts = render_or_fall_back(deps, "evidence", lambda: evidence(request), lambda: fallback.evidence(request))
    marked = [(f"{request.id}:evidence:{due.id}:{n}", text) for n, text in enumerate(texts, start=1)]
    post_all(deps, due, thread_of(request, channel, ts), marked, version=request.version)


def _whisper(deps: Deps, due: DueMessage, request: Request) -> None:
    place = due.message.place or place_asked(deps, request)
    if not place.is_shell:
        deps.channel.whisper(place, due.message.to, _sentence(deps, due.message))
    deps.store.mark_delivered(due, channel=place.channel, ts="whispered", version=request.version)


def _note(deps: Deps, due: DueMessage, request: Request) -> None:
    """Post in the card's thread, or in another channel with a link to the card; or send it to one person."""
    message, (channel, ts) = due.message, deps.store.card(request.id)
    if message.place is None:
        place, link = thread_of(request, channel, ts), ""
    else:
        place, link = message.place, _link(deps, request)
    said = _sentence(deps, message, link)
    if message.to:
        deps.channel.whisper(place, message.to, said)
        deps.store.mark_delivered(due, channel=place.channel, ts="whispered", version=request.version)
        return
    ts = post(deps, due, place, said, mark=f"{request.id}:note:{due.id}")
    post_or_find(deps, due, place.channel, ts, version=request.version)


def _reminder(deps: Deps, due: DueMessage, request: Request) -> None:
    """Remind in the card's channel, unless the message names another; nobody is mentioned for what is decided."""
    message, approval = due.message, request.approval
    if request.stage is not Stage.WAITING or approval is None:
        deps.store.mark_undelivered(due, retry_in=None)
        return
    place, link, now = message.place or place_of(deps, request), _link(deps, request), deps.clock.now()
    said = render_or_fall_back(
        deps,
        "reminder",
        lambda: reminder(request, by=approval.approve_by, mentions=message.mentions, link=link, now=now),
        lambda: fallback.line(request, link),
    )
    ts = post(deps, due, place, said, mark=f"{request.id}:reminder:{due.id}")
    post_or_find(deps, due, place.channel, ts, version=request.version)


def _direct(deps: Deps, due: DueMessage, request: Request) -> None:
    said = _sentence(deps, due.message, _link(deps, request))
    ts = post(deps, due, Place(due.message.to), said, mark=f"{request.id}:direct:{due.id}")
    post_or_find(deps, due, due.message.to, ts, version=request.version)


def _link(deps: Deps, request: Request) -> str:
    channel, ts = deps.store.card(request.id)
    return deps.channel.permalink(channel, ts) if ts else ""


def _announce(deps: Deps, due: DueMessage) -> None:
    """Post a message that belongs to no request, to one person or in the channel that it names."""
    message = due.message
    place = message.place or Place(message.to or deps.in_force.policy.operations_channel)
    if not place.channel:
        log.warning("message without a channel", body=message.body)
        deps.store.mark_undelivered(due, retry_in=None)
        return
    text = compose_handover(deps) if message.kind is MessageKind.HANDOVER else _sentence(deps, message)
    ts = post(deps, due, place, text, mark=f"announcement:{due.id}")
    post_or_find(deps, due, place.channel, ts, version=0)


def _sentence(deps: Deps, message: Message, link: str = "") -> Text:
    """The text of a message with its mentions; an ephemeral message mentions nobody."""
    mask = None
    with suppress(NotSealed):  # of what no bot recorded there are no buttons
        mask = deps.store.get(message.buttons_of) if message.buttons_of else None

    def sentence() -> Text:
        if message.kind is MessageKind.WHISPER:
            said = plain(message.body)
        else:
            said = note(message.body, mentions=message.mentions, link=link)
        return with_buttons(said, mask, live_actions(deps, mask)) if mask else said

    return render_or_fall_back(deps, "note", sentence, lambda: fallback.note(message.body, message.mentions))


def _nobody_there(deps: Deps, due: DueMessage, request: Request, code: str) -> None:
    """End a request whose card nobody could see, or strangers could; tell its owner and the operators how it ended."""
    message, is_open = due.message, request.stage in (Stage.WAITING, Stage.APPROVED)
    why = (SHARED, CHANNEL_SHARED) if code == CHANNEL_SHARED else (NOBODY_THERE, "no_audience")
    if message.kind is MessageKind.CARD and is_open:
        with suppress(Stale):  # the request changed meanwhile; the next try finds its new state
            closing = Closing(request, Stage.CANCELLED, *why)
            ended = save(deps, close(closing, deps.clock.now()))
            if not due.ts:  # without a card there is no outcome line either
                tell_directly(deps, ended)
    elif message.kind is MessageKind.LINE and not message.to and message.place is None:
        tell_directly(deps, request)


def tell_directly(deps: Deps, request: Request) -> None:
    """Send a direct message once, because the outcome line is dropped."""
    body = outcome_without_card(render_card(deps, request).text)
    known = event(request, "message.no_audience", outcome="failure", code="no_audience")
    nobody = request.ask.by_itself or request.ask.place.is_shell
    owner = [] if nobody else [Message(MessageKind.DIRECT, to=request.owner.user, body=body)]
    deps.store.record([known], [*owner, Message(MessageKind.NOTE, body=body)])


def _not_said(deps: Deps, due: DueMessage, request: Request | None, error: SlackError) -> None:
    """End a request that nobody can see any more; one that runs is finished all the same.

    However long Slack is away, messages for a channel are delivered afterwards; answers to one person are dropped.
    """
    if error.code in TOKEN_REFUSED:
        deps.liveness.token_refused(error.code)
    if request and error.code in _NO_AUDIENCE:
        _nobody_there(deps, due, request, error.code)
    may_help = due.message.kind is not MessageKind.WHISPER and (error.passing or error.code in _OPERATOR_MENDS)
    pause = error.retry_after or min(_LONGEST_PAUSE, deps.timings.message_retry * (due.attempts + 1))
    log.warning("message not delivered", request=due.request_id, kind=due.message.kind, why=error.code, again=may_help)
    deps.store.mark_undelivered(due, retry_in=timedelta(seconds=pause) if may_help else None)
