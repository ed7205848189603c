"""The machine's clock was set: recorded, and told to those who run the bot, for times are not what they seem."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.core.audit import Event
from bot.core.cards.jumped import jumped
from bot.ports import Message, MessageKind
from bot.workflow.parts import Parts

log = structlog.get_logger()


def note_jumps(parts: Parts, jumps: Sequence[timedelta]) -> None:
    """Raises what the store raises; then it is not on record, and the log has it."""
    for jump in jumps:
        seconds = round(jump.total_seconds())
        log.error("clock jump", seconds=seconds)
        event = Event("clock_jump", "success", data={"seconds": seconds, "goes_by": parts.clock.now()})
        parts.store.record([event], [Message(MessageKind.NOTE, body=jumped(jump))])
