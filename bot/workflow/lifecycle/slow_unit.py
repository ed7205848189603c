"""Slow stops and starts: release the host, and check again with growing pauses until the unit is done."""

from dataclasses import replace
from datetime import timedelta

from bot.core.requests import Request, SlowWait, Target
from bot.core.systemd.units import Snapshot
from bot.ports import Claim
from bot.workflow.process.deps import Deps

_SHARE = 10  # the pauses grow: a tenth of the time waited so far


def give_way(deps: Deps, claim: Claim, request: Request, stored: Target) -> Request:
    """The request, due again after a pause. It is saved if its card has something to say that is not in `stored`."""
    now, waiting = deps.clock.now(), request.target.waiting
    waited = (now - waiting.since).total_seconds() if waiting else 0.0
    pause = min(deps.timings.slow_longest, max(deps.timings.slow_first, waited / _SHARE))
    request = replace(request, due_at=now + timedelta(seconds=pause))
    if waiting and not _has_news(deps, request, stored, waited):
        return request
    since = waiting.since if waiting else now
    return deps.store.save(request.on_target(waiting=SlowWait(since, now)), claim=claim)


def _has_news(deps: Deps, request: Request, stored: Target, waited: float) -> bool:
    seen, shown, waiting = request.target.last_seen, stored.last_seen, request.target.waiting
    if seen is None or shown is None or waiting is None or stored.unknown_since or _phase(seen) != _phase(shown):
        return True
    silent = (deps.clock.now() - waiting.shown_at).total_seconds()
    return silent >= max(deps.timings.progress, waited / _SHARE)


def _phase(seen: Snapshot) -> tuple[object, ...]:
    return seen.active, seen.sub, seen.stop_command, bool(seen.pending_job)
