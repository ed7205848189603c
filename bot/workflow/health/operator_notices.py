"""A word to who runs the bot, about the bot itself."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.core.audit.chain import Event
from bot.core.cards import audit_shipping
from bot.core.cards.clock_jump import jumped
from bot.core.cards.config_reload import crowded
from bot.errors import MaskbotError
from bot.ports import Duty, Message, MessageKind
from bot.workflow.process.deps import Parts

log = structlog.get_logger()
ANCHOR = "anchor"


def tell_crowded(parts: Parts, count: int, *, most: int) -> None:
    """More connections to Slack are open with our token than there should be: recorded, and told in their channel."""
    log.error("slack.too_many_connections", connections=count, expected=most)
    known = Event("slack.crowded", "failure", "too_many_connections", data={"connections": count, "expected": most})
    try:
        parts.store.record([known], [Message(MessageKind.NOTE, body=crowded(count, most=most))])
    except MaskbotError as error:
        log.error("slack.crowded_not_recorded", why=str(error))


def anchor(parts: Parts, duty: Duty) -> None:
    """Say it, unless nothing is new, and be due again."""
    head, due_at = parts.store.head(), parts.clock.now() + timedelta(seconds=parts.timings.anchor)
    is_new = head.seq != duty.document.get("seq")
    said = [Message(MessageKind.NOTE, body=audit_shipping.ends(head), until=due_at)] if is_new else []
    parts.store.keep(Duty(duty.name, {"seq": head.seq}, due_at, duty.version), messages=said)


def first_anchor(parts: Parts) -> Duty:
    """The first one is due after a while, not at once: a new installation has nothing to say yet."""
    return Duty(ANCHOR, {}, parts.clock.now() + timedelta(seconds=parts.timings.anchor))


def note_jumps(parts: Parts, jumps: Sequence[timedelta]) -> None:
    """Raises what the store raises; then it is not on record, and the log has it."""
    for jump in jumps:
        seconds = round(jump.total_seconds())
        log.error("clock jump", seconds=seconds)
        event = Event("clock_jump", "success", data={"seconds": seconds, "goes_by": parts.clock.now()})
        parts.store.record([event], [Message(MessageKind.NOTE, body=jumped(jump))])
