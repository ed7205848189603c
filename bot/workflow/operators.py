"""A word to who runs the bot, about the bot itself."""

import structlog

from bot.core.audit import Event
from bot.core.cards.configured import crowded
from bot.errors import MaskbotError
from bot.ports import Message, MessageKind
from bot.workflow.parts import Parts

log = structlog.get_logger()


def tell_crowded(parts: Parts, count: int, *, most: int) -> None:
    """More connections to Slack are open with our token than there should be: recorded, and told in their channel."""
    log.error("slack.too_many_connections", connections=count, expected=most)
    known = Event("slack.crowded", "failure", "too_many_connections", data={"connections": count, "expected": most})
    try:
        parts.store.record([known], [Message(MessageKind.NOTE, body=crowded(count, most=most))])
    except MaskbotError as error:
        log.error("slack.crowded_not_recorded", why=str(error))
