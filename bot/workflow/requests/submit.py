"""Submit a request: store it with its first audit event, before anything is checked."""

import secrets
from collections.abc import Callable
from datetime import timedelta

from bot.core.audit.request_event import event
from bot.core.people.identity import ITSELF
from bot.core.requests import Ask, Request, Target
from bot.ports import Count
from bot.workflow.process.deps import Deps


def submit(
    deps: Deps,
    ask: Ask,
    *,
    key: str,
    provided: Callable[[Count], None] | None = None,
    due_in: timedelta = timedelta(),
) -> Request:
    """Store what was asked for, unless `provided` raises. The same key again returns what the first stored.

    It is taken up after `due_in`, or as soon as somebody makes it due.
    """
    now = deps.clock.now()
    target = Target("" if ask.selection else ask.change.host, ask.change.unit)  # a rollout itself is on no host
    request = Request(f"r{secrets.token_hex(5)}", key, ask, now, target, due_at=now + due_in)
    received = event(request, "request.received", actor=ITSELF if ask.by_itself else ask.requester)
    recorded, _ = deps.store.add(request, events=[received], provided=provided)
    return recorded
