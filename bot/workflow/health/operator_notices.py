"""Notices to operators about the bot: too many Slack connections, forgeries, clock jumps, and an audit anchor."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.core.audit.chain import Event
from bot.core.cards import audit_shipping
from bot.core.cards.clock_jump import clock_jump_notice
from bot.core.cards.config_reload import too_many_connections
from bot.core.cards.forgery import forgery_notice
from bot.errors import MaskbotError
from bot.ports import Message, MessageKind, Periodic
from bot.workflow.process.deps import Deps

log = structlog.get_logger()
ANCHOR = "anchor"


def report_too_many_connections(deps: Deps, count: int, *, most: int) -> None:
    """Record and post that more connections to Slack use our token than configured: another bot may use it."""
    log.error("slack.too_many_connections", connections=count, expected=most)
    known = Event(
        "slack.too_many_connections", "failure", "too_many_connections", data={"connections": count, "expected": most}
    )
    tell_operators(deps, known, too_many_connections(count, most=most))


def report_forgery(deps: Deps, what: str, why: str, *, request_id: str = "") -> None:
    """Record, post and page that the database holds what the bot did not write."""
    log.error("forged", what=what, why=why)
    known = Event("audit.forgery", "failure", "not_sealed", request_id, data={"what": what, "why": why})
    tell_operators(deps, known, forgery_notice(what, why), page=f"maskbot-forgery-{what.replace(' ', '-')}")


def tell_operators(deps: Deps, known: Event, body: str, *, page: str = "") -> bool:
    """Record an event and post it, with a page under that key if there is one. Without a store only the log has it.

    Returns whether it was recorded.
    """
    said = [Message(MessageKind.NOTE, body=body)]
    if page and deps.pager:
        said.append(Message(MessageKind.PAGE, to=page, body=body))
    try:
        deps.store.record([known], said)
    except MaskbotError as error:
        log.error(f"{known.type}_not_recorded", why=str(error))
        return False
    return True


def anchor(deps: Deps, task: Periodic) -> None:
    """Post the audit log's head if it has changed, and schedule the next post."""
    head, due_at = deps.store.head(), deps.clock.now() + timedelta(seconds=deps.timings.audit_anchor)
    is_new = head.seq != task.document.get("seq")
    said = [Message(MessageKind.NOTE, body=audit_shipping.anchor(head), until=due_at)] if is_new else []
    deps.store.save_periodic(Periodic(task.name, {"seq": head.seq}, due_at, task.version), messages=said)


def first_anchor(deps: Deps) -> Periodic:
    """The first anchor is posted after a while: a new installation has nothing to report yet."""
    return Periodic(ANCHOR, {}, deps.clock.now() + timedelta(seconds=deps.timings.audit_anchor))


def report_clock_jumps(deps: Deps, jumps: Sequence[timedelta]) -> None:
    """Record a jump of the clock. Raises what the store raises; then only the log has it."""
    for jump in jumps:
        seconds = round(jump.total_seconds())
        log.error("clock jump", seconds=seconds)
        event = Event("clock_jump", "success", data={"seconds": seconds, "goes_by": deps.clock.now()})
        deps.store.record([event], [Message(MessageKind.NOTE, body=clock_jump_notice(jump))])
