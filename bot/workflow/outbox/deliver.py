"""Saying it: cards follow the stored request, other messages are said once, and Slack's troubles only delay them."""

from contextlib import suppress
from datetime import timedelta

import structlog

from bot.core.cards import evidence, fallback, line, note, plain, reminder
from bot.core.cards.blocks import Text
from bot.core.cards.sentences import NOBODY_THERE, unseen
from bot.core.people.identity import PersonId, Place
from bot.core.requests import Request, Stage
from bot.errors import NotYet, SlackError, Stale, Unverified
from bot.ports import Due, Message, MessageKind
from bot.workflow.outbox.handover import digest_now
from bot.workflow.outbox.post_once import plainer, post, post_all, posted, posted_before
from bot.workflow.paging import send_page
from bot.workflow.people.channels import asked_at, place_of, thread_of
from bot.workflow.process.deps import Parts
from bot.workflow.process.liveness import TOKEN_REFUSED
from bot.workflow.process.render import card_of, drawn
from bot.workflow.requests.closing import end, event

log = structlog.get_logger()
_NO_AUDIENCE = frozenset({"is_archived", "not_in_channel", "channel_not_found"})
_OPERATOR_MENDS = TOKEN_REFUSED | {"missing_scope"}
_LONGEST_PAUSE = 60.0  # seconds between two tries


def say(parts: Parts, due: Due) -> None:
    """Say one message that is due, or put it off, or give it up where nobody is left to hear it."""
    request = parts.store.get(due.request_id) if due.request_id else None
    if due.message.until and parts.clock.now() > due.message.until:
        parts.store.unsaid(due, retry_in=None)
        return
    try:
        if due.message.kind is MessageKind.PAGE:
            send_page(parts, due, request)
        elif request is None:
            _announce(parts, due)
        else:
            _about(parts, due, request)
    except SlackError as error:
        _not_said(parts, due, request, error)


def _about(parts: Parts, due: Due, request: Request) -> None:
    match due.message.kind:
        case MessageKind.CARD:
            _card(parts, due, request)
        case MessageKind.LINE:
            _line(parts, due, request)
        case MessageKind.EVIDENCE:
            _evidence(parts, due, request)
        case MessageKind.WHISPER:
            _whisper(parts, due, request)
        case MessageKind.NOTE:
            _note(parts, due, request)
        case MessageKind.REMINDER:
            _reminder(parts, due, request)
        case MessageKind.DIRECT:
            _direct(parts, due, request)


def _card(parts: Parts, due: Due, request: Request) -> None:
    """The one message that is edited. One that an earlier try has posted may show an older version."""
    shapes, place, mark = (
        (card_of(parts, request), fallback.card(request)),
        place_of(parts, request),
        f"{request.id}:card",
    )
    channel = due.channel if due.ts else place.channel
    ts = due.ts or posted_before(parts, due, place, mark=mark)
    try:
        if ts:
            plainer(shapes, lambda shape: parts.channel.update(channel, ts, shape))
    except SlackError as error:
        if error.code != "message_not_found":
            raise
        ts = ""  # somebody deleted it
    ts = ts or post(parts, due, place, *shapes, mark=mark)
    posted(parts, due, channel, ts, version=request.version)


def _line(parts: Parts, due: Due, request: Request) -> None:
    """Beside the card; elsewhere as well where its rule says so, and to its owner if they would not see it."""
    message, (channel, ts) = due.message, parts.store.card(request.id)
    place = message.place or (Place(message.to) if message.to else place_of(parts, request))
    if message.to and _is_there(parts, request.owner, Place(channel)):
        parts.store.said(due, channel=channel, ts="seen", version=request.version)
        return
    link, calls = parts.channel.permalink(channel, ts), place.channel == channel
    text = drawn(parts, "line", lambda: line(request, link=link, calls=calls), lambda: fallback.line(request, link))
    said = post(parts, due, place, text, mark=f"{request.id}:line:{due.id}")
    posted(parts, due, place.channel, said, version=request.version)


def _is_there(parts: Parts, person: PersonId, place: Place) -> bool:
    """Whether somebody reads that channel; told twice is better than not at all."""
    try:
        return parts.directory.is_in(person, place)
    except (Unverified, NotYet):
        return False


def _evidence(parts: Parts, due: Due, request: Request) -> None:
    channel, ts = parts.store.card(request.id)
    texts = drawn(parts, "evidence", lambda: evidence(request), lambda: fallback.evidence(request))
    marked = [(f"{request.id}:evidence:{due.id}:{n}", text) for n, text in enumerate(texts, start=1)]
    post_all(parts, due, thread_of(request, channel, ts), marked, version=request.version)


def _whisper(parts: Parts, due: Due, request: Request) -> None:
    place = due.message.place or asked_at(parts, request)
    if not place.is_shell:
        parts.channel.whisper(place, due.message.to, _sentence(parts, due.message))
    parts.store.said(due, channel=place.channel, ts="whispered", version=request.version)


def _note(parts: Parts, due: Due, request: Request) -> None:
    """In the card's thread, or in its own place with a link to the card; to one person alone if it says so."""
    message, (channel, ts) = due.message, parts.store.card(request.id)
    if message.place is None:
        place, link = thread_of(request, channel, ts), ""
    else:
        place, link = message.place, _link(parts, request)
    said = _sentence(parts, message, link)
    if message.to:
        parts.channel.whisper(place, message.to, said)
        parts.store.said(due, channel=place.channel, ts="whispered", version=request.version)
        return
    ts = post(parts, due, place, said, mark=f"{request.id}:note:{due.id}")
    posted(parts, due, place.channel, ts, version=request.version)


def _reminder(parts: Parts, due: Due, request: Request) -> None:
    """Where the card stands, unless the message names another place; nobody is called for what is decided."""
    message, approval = due.message, request.approval
    if request.stage is not Stage.WAITING or approval is None:
        parts.store.unsaid(due, retry_in=None)
        return
    place, link, now = message.place or place_of(parts, request), _link(parts, request), parts.clock.now()
    said = drawn(
        parts,
        "reminder",
        lambda: reminder(request, by=approval.decide_by, mentions=message.mentions, link=link, now=now),
        lambda: fallback.line(request, link),
    )
    ts = post(parts, due, place, said, mark=f"{request.id}:reminder:{due.id}")
    posted(parts, due, place.channel, ts, version=request.version)


def _direct(parts: Parts, due: Due, request: Request) -> None:
    said = _sentence(parts, due.message, _link(parts, request))
    ts = post(parts, due, Place(due.message.to), said, mark=f"{request.id}:direct:{due.id}")
    posted(parts, due, due.message.to, ts, version=request.version)


def _link(parts: Parts, request: Request) -> str:
    channel, ts = parts.store.card(request.id)
    return parts.channel.permalink(channel, ts) if ts else ""


def _announce(parts: Parts, due: Due) -> None:
    """What belongs to no request, said to one person or in the place that it names."""
    message = due.message
    place = message.place or Place(message.to or parts.policy.operations_channel)
    if not place.channel:
        log.warning("message without a place", body=message.body)
        parts.store.unsaid(due, retry_in=None)
        return
    text = digest_now(parts) if message.kind is MessageKind.DIGEST else _sentence(parts, message)
    ts = post(parts, due, place, text, mark=f"announcement:{due.id}")
    posted(parts, due, place.channel, ts, version=0)


def _sentence(parts: Parts, message: Message, link: str = "") -> Text:
    """The words of a message, with those whom it calls; a whisper calls nobody."""

    def said() -> Text:
        if message.kind is MessageKind.WHISPER:
            return plain(message.body)
        return note(message.body, mentions=message.mentions, link=link)

    return drawn(parts, "note", said, lambda: fallback.note(message.body, message.mentions))


def _nobody_there(parts: Parts, due: Due, request: Request) -> None:
    """What nobody could see does not begin; how it ended is said to its owner and to who runs the bot."""
    message, is_open = due.message, request.stage in (Stage.WAITING, Stage.APPROVED)
    if message.kind is MessageKind.CARD and is_open:
        with suppress(Stale):  # it moved meanwhile; the next try sees where to
            ended = end(parts, request, Stage.CANCELLED, NOBODY_THERE, code="no_audience")
            if not due.ts:  # without a card there is no line about the end either
                _tell_directly(parts, ended)
    elif message.kind is MessageKind.LINE and not message.to and message.place is None:
        _tell_directly(parts, request)


def _tell_directly(parts: Parts, request: Request) -> None:
    """Said once, for its line is given up."""
    body = unseen(card_of(parts, request).text)
    known = event(request, "message.no_audience", outcome="failure", code="no_audience")
    nobody = request.ask.by_itself or request.ask.place.is_shell
    owner = [] if nobody else [Message(MessageKind.DIRECT, to=request.owner.user, body=body)]
    parts.store.record([known], [*owner, Message(MessageKind.NOTE, body=body)])


def _not_said(parts: Parts, due: Due, request: Request | None, error: SlackError) -> None:
    """A request that nobody can see any more does not run; one that runs is finished all the same.

    However long Slack is away, what is owed to a channel is said afterwards; answers to one person are owed to nobody.
    """
    if error.code in TOKEN_REFUSED:
        parts.vitals.token_refused(error.code)
    if request and error.code in _NO_AUDIENCE:
        _nobody_there(parts, due, request)
    may_help = due.message.kind is not MessageKind.WHISPER and (error.passing or error.code in _OPERATOR_MENDS)
    pause = error.retry_after or min(_LONGEST_PAUSE, parts.timings.message_retry * (due.attempts + 1))
    log.warning("message not said", request=due.request_id, kind=due.message.kind, why=error.code, again=may_help)
    parts.store.unsaid(due, retry_in=timedelta(seconds=pause) if may_help else None)
