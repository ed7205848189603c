"""A word to who runs the bot, about the bot itself."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.core.audit.chain import Event
from bot.core.cards import audit_shipping
from bot.core.cards.clock_jump import jumped
from bot.core.cards.config_reload import crowded
from bot.errors import MaskbotError
from bot.ports import Message, MessageKind, Periodic
from bot.workflow.process.deps import Deps

log = structlog.get_logger()
ANCHOR = "anchor"


def report_too_many_connections(deps: Deps, count: int, *, most: int) -> None:
    """More connections to Slack are open with our token than there should be: recorded, and told in their channel."""
    log.error("slack.too_many_connections", connections=count, expected=most)
    known = Event("slack.crowded", "failure", "too_many_connections", data={"connections": count, "expected": most})
    try:
        deps.store.record([known], [Message(MessageKind.NOTE, body=crowded(count, most=most))])
    except MaskbotError as error:
        log.error("slack.crowded_not_recorded", why=str(error))


def anchor(deps: Deps, task: Periodic) -> None:
    """Say it, unless nothing is new, and be due again."""
    head, due_at = deps.store.head(), deps.clock.now() + timedelta(seconds=deps.timings.audit_anchor)
    is_new = head.seq != task.document.get("seq")
    said = [Message(MessageKind.NOTE, body=audit_shipping.ends(head), until=due_at)] if is_new else []
    deps.store.save_periodic(Periodic(task.name, {"seq": head.seq}, due_at, task.version), messages=said)


def first_anchor(deps: Deps) -> Periodic:
    """The first one is due after a while, not at once: a new installation has nothing to say yet."""
    return Periodic(ANCHOR, {}, deps.clock.now() + timedelta(seconds=deps.timings.audit_anchor))


def report_clock_jumps(deps: Deps, jumps: Sequence[timedelta]) -> None:
    """Raises what the store raises; then it is not on record, and the log has it."""
    for jump in jumps:
        seconds = round(jump.total_seconds())
        log.error("clock jump", seconds=seconds)
        event = Event("clock_jump", "success", data={"seconds": seconds, "goes_by": deps.clock.now()})
        deps.store.record([event], [Message(MessageKind.NOTE, body=jumped(jump))])
