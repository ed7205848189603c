"""Looks at a host after a change is done: what it brought about is said in the thread, and nothing if all is well."""

from dataclasses import replace

import structlog

from bot.core.aftermath import aftermath
from bot.core.cards import ends
from bot.core.changes import Request
from bot.core.clocks import host_is_looked_at_again
from bot.core.ends import next_look
from bot.errors import HostError, UsageError
from bot.ports import Claim, Message, MessageKind
from bot.workflow.ending import event
from bot.workflow.looking import known_neighbours, look
from bot.workflow.parts import Parts

log = structlog.get_logger()


def look_after(parts: Parts, claim: Claim, request: Request) -> Request:
    """Look once more, if it is time; a host that does not answer is no news."""
    now = parts.clock.now()
    due = host_is_looked_at_again(request)
    if due is None or due > now:
        return request
    said = request.standing.found
    new = tuple(sentence for sentence in _found(parts, request) if sentence not in said)
    standing = replace(
        request.standing,
        look_at=next_look(request, now, parts.care),
        looks=request.standing.looks + 1,
        found=said + new,
    )
    messages = [Message(MessageKind.NOTE, body=ends.aftermath(request, new, now))] if new else []
    events = [event(request, "afterlook.found", code="worse", found=list(new))] if new else []
    return parts.store.save(replace(request, standing=standing), events=events, messages=messages, claim=claim)


def _found(parts: Parts, request: Request) -> tuple[str, ...]:
    change, target = request.ask.change, request.target
    try:
        host = parts.host(change.host)
        seen = look(parts, host, target.unit, full=True, user=change.user, also=known_neighbours(target))
    except (HostError, UsageError) as error:
        log.info("not looked at after the change", request=request.id, why=str(error))
        return ()
    return aftermath(target, seen)
