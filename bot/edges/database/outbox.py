"""The outbox's table: one card per request, edited as the request goes on, and messages that are posted once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, exists, insert, or_, select, update

from bot.core.requests import Request
from bot.core.requests.card_updates import (
    NEVER_POSTED,
    CardState,
    card_after_lost_lease,
    card_after_post,
    card_after_save,
)
from bot.edges.database.rollouts import how_far
from bot.edges.database.rows import complaint
from bot.edges.database.seals import SEAL, seals_of
from bot.edges.database.tables import messages
from bot.edges.database.transactions import NOW, database_time, insert_new, is_free
from bot.ports import DueMessage, Message, MessageKind

log = structlog.get_logger()
_MESSAGE = TypeAdapter(Message)
_AN_OLDER_VERSION = timedelta(days=1)  # its post is searched as far back: it did not record its time
_INSERT = insert(messages)
_WRITE = update(messages).where(messages.c.id == bindparam("of_message"))
_CARD = select(messages).where(
    messages.c.request_id == bindparam("request_id"), messages.c.kind == MessageKind.CARD.value
)
_CARD_TO_LOCK = _CARD.with_for_update()
_IS_STILL_CLAIMED = and_(  # nobody else has claimed the message since: each claim counts an attempt
    messages.c.id == bindparam("of_message"),
    messages.c.attempts == bindparam("of_attempt"),
    messages.c.owner.is_not(None),
)
_CLAIMED_TO_LOCK = select(messages).where(_IS_STILL_CLAIMED).with_for_update()
_WRITE_CLAIMED = update(messages).where(_IS_STILL_CLAIMED)
_BESIDE_CARD = (MessageKind.LINE, MessageKind.EVIDENCE, MessageKind.NOTE, MessageKind.REMINDER)


def add(connection: Connection, request: Request, new: Sequence[Message], *, now: datetime) -> None:
    """Store messages. A card that is there already stays the only one."""
    for message in new:
        row = _row(connection, request, message, now)
        if message.kind is MessageKind.CARD:
            insert_new(connection, messages, row)
        else:
            connection.execute(_INSERT, row)


def announce(connection: Connection, new: Sequence[Message], *, now: datetime) -> None:
    """Store messages that belong to no request."""
    for message in new:
        connection.execute(_INSERT, _row(connection, None, message, now))


def _row(connection: Connection, request: Request | None, message: Message, now: datetime) -> dict[str, Any]:
    document = _MESSAGE.dump_python(message, mode="json")
    return {
        "request_id": _told_of(request, message) if request else None,
        "kind": message.kind.value,
        "own_place": request is None or not message.needs_card,
        "document": document | ({SEAL: seals_of(connection).of_message(document)} if message.buttons_of else {}),
        "due_at": now,
        "attempts": 0,
        "channel": "",
        "ts": "",
        "posted_version": NEVER_POSTED,
        "urgent_version": request.version if request else 0,
    }


def _told_of(request: Request, message: Message) -> str:
    """The request in whose thread a message stands: what is noted of one target stands in its rollout's."""
    is_of_rollout = message.kind is MessageKind.NOTE and message.place is None and request.approval is None
    return request.ask.rollout or request.id if is_of_rollout else request.id


def show(
    connection: Connection, request: Request, *, urgent: bool, has_moved: bool, now: datetime, interval: timedelta
) -> bool:
    """Write down what `card_after_save` says of the card of a request that was just saved; whether it is due now."""
    row = connection.execute(_CARD_TO_LOCK, {"request_id": request.id}).first()
    card = _state(row, is_of_rollout=request.ask.selection is not None) if row else None
    planned = card_after_save(request, card, urgent=urgent, has_moved=has_moved, now=now, interval=interval)
    if planned is None:
        return False
    if row is None:
        add(connection, request, [Message(MessageKind.CARD)], now=planned.due_at)
    else:
        due = {"due_at": planned.due_at, "urgent_version": planned.urgent_version}
        connection.execute(_WRITE, due | {"of_message": row.id})
    return planned.due_at <= now


def _state(row: Row[Any], *, is_of_rollout: bool) -> CardState:
    return CardState(
        row.posted_version, row.urgent_version, row.posted_at, row.not_before, row.overwritten, is_of_rollout
    )


def take(connection: Connection, owner: str, *, now: datetime, lease: timedelta) -> DueMessage | None:
    """Claim the next message: decisions, results and answers before mere progress, then the oldest.

    Attempts count from zero; a message with attempts may have been posted by a process that died before it could record
    that.
    """
    row = connection.execute(_NEXT, {"now": now}).first()
    if row is None:
        return None
    claimed = {
        "owner": owner,
        "lease_until": database_time(connection) + lease,
        "attempts": row.attempts + 1,
        "tried_at": row.tried_at or now,
        "overwritten": False,
    }
    connection.execute(_WRITE, claimed | {"of_message": row.id})
    try:
        message = _MESSAGE.validate_python(row.document)
    except ValidationError as error:
        log.error("message cannot be read", message=row.id, why=complaint(error))
        return None  # it stays leased for a while, so that it blocks no other
    if message.buttons_of and seals_of(connection).fault_of_message(row.document, name=str(row.id)):
        message = replace(message, buttons_of="")  # the bot's own buttons stand below its own words
    tried_at = (row.tried_at or now - _AN_OLDER_VERSION) if row.attempts else None
    request_id = row.request_id or ""
    return DueMessage(row.id, request_id, message, row.attempts, row.channel, row.ts, row.posted_version, tried_at)


def is_any_due(connection: Connection, *, now: datetime) -> bool:
    """Whether something is due, so that a writing transaction is worthwhile."""
    return connection.execute(_ANY_DUE, {"now": now}).first() is not None


def _is_deliverable() -> ColumnElement[bool]:
    return and_(messages.c.due_at <= NOW, is_free(messages), _has_its_place(), _has_its_turn())


def _has_its_place() -> ColumnElement[bool]:
    """A message in the card's thread waits until the card is posted; one with its own channel needs no card."""
    card = messages.alias("card")
    posted = exists().where(
        card.c.request_id == messages.c.request_id, card.c.kind == MessageKind.CARD.value, card.c.ts != ""
    )
    beside_card = messages.c.kind.in_([kind.value for kind in _BESIDE_CARD])
    return or_(~beside_card, messages.c.own_place, posted)


def _has_its_turn() -> ColumnElement[bool]:
    """An alert is never resolved before it was sent: alerts about one request keep their order."""
    earlier = messages.alias("earlier")
    undelivered = exists().where(
        earlier.c.request_id == messages.c.request_id,
        earlier.c.kind == MessageKind.PAGE.value,
        earlier.c.due_at.is_not(None),
        earlier.c.id < messages.c.id,
    )
    return or_(messages.c.kind != MessageKind.PAGE.value, ~undelivered)


_ANY_DUE = select(messages.c.id).where(_is_deliverable()).limit(1)
_NEXT = (
    select(messages)
    .where(_is_deliverable())
    .order_by((messages.c.urgent_version > messages.c.posted_version).desc(), messages.c.due_at, messages.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """Where a message is posted, and which version of its request it shows."""

    channel: str
    ts: str
    version: int


def mark_delivered(
    connection: Connection, due: DueMessage, posted: PostedMessage, *, now: datetime, interval: timedelta
) -> str:
    """Record and return where a message is posted. A card whose request changed meanwhile is due again."""
    row = connection.execute(_CLAIMED_TO_LOCK, _held(due)).first()
    if row is None:
        return _after_lost_lease(connection, due, now=now, interval=interval)
    due_at = None
    if row.kind == MessageKind.CARD.value:
        request = how_far(connection, row.request_id)
        card = replace(_state(row, is_of_rollout=request.is_rollout), posted_version=posted.version, posted_at=now)
        due_at = card_after_post(card, newest=request.version, now=now, interval=interval)
    place = {"channel": posted.channel, "ts": posted.ts, "posted_at": now, "posted_version": posted.version}
    rests = {"not_before": None, "attempts": 0, "tried_at": None, "owner": None, "lease_until": None}
    connection.execute(_WRITE, {**place, **rests, "due_at": due_at, "of_message": row.id})
    return posted.ts


def _after_lost_lease(connection: Connection, due: DueMessage, *, now: datetime, interval: timedelta) -> str:
    """The lease expired and another process delivers the message: its text may be older, so a card is rendered once
    more.
    """
    row = connection.execute(select(messages).where(messages.c.id == due.id).with_for_update()).one()
    if row.kind == MessageKind.CARD.value:
        card = _state(row, is_of_rollout=how_far(connection, row.request_id).is_rollout)
        due_at = card_after_lost_lease(card, row.due_at, now=now, interval=interval)
        connection.execute(_WRITE, {"overwritten": True, "due_at": due_at, "of_message": row.id})
    return str(row.ts)


def mark_undelivered(connection: Connection, due: DueMessage, *, at: datetime | None) -> None:
    """The message could not be delivered: due again then, and not before; None drops it."""
    rests = {"due_at": at, "not_before": at, "owner": None, "lease_until": None}
    connection.execute(_WRITE_CLAIMED, _held(due) | rests)


def _held(due: DueMessage) -> dict[str, Any]:
    """What `_IS_STILL_CLAIMED` asks about."""
    return {"of_message": due.id, "of_attempt": due.attempts + 1}


def card(connection: Connection, request_id: str) -> tuple[str, str]:
    """Channel and timestamp of the request's card, empty before it is posted."""
    row = connection.execute(_CARD, {"request_id": request_id}).first()
    return (row.channel, row.ts) if row else ("", "")


def has_posted(connection: Connection, request_id: str, channel: str, ts: str) -> bool:
    """Whether we posted this message about the request; a card whose timestamp is not stored yet may be it."""
    about = messages.c.request_id == request_id
    this = and_(messages.c.channel == channel, messages.c.ts == ts)
    may_be = and_(messages.c.kind == MessageKind.CARD.value, messages.c.ts == "")
    return connection.execute(select(messages.c.id).where(about, or_(this, may_be)).limit(1)).first() is not None


def void_all(connection: Connection) -> None:
    """Messages of a process that is known to be dead are due again."""
    connection.execute(update(messages).where(messages.c.owner.is_not(None)).values(owner=None, lease_until=None))
