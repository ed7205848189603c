"""What a slow stop or start waits for, in the words of systemd.service(5)."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cards import unit_state
from bot.core.cards.blocks import Markup, row, words
from bot.core.requests import Request, Target, Verb
from bot.core.systemd.units import ActiveState, Snapshot

# What systemd does to a unit that stops, by its sub state (systemd 257, service_state_table and its siblings).
_STOPPING = {
    "stop": "its stop command",
    "stop-pre": "its pre-stop command",
    "stop-watchdog": "its main process, aborted by its watchdog (SIGABRT)",
    "stop-sigterm": "its processes to exit after SIGTERM",
    "stop-sigkill": "its processes to die after SIGKILL",
    "stop-post": "its post-stop command",
    "final-watchdog": "its remaining processes to exit after SIGABRT",
    "final-sigterm": "its remaining processes to exit after SIGTERM",
    "final-sigkill": "its remaining processes to die after SIGKILL",
    "unmounting": "its unmount",
}
_WAIT = "wait (it is masked once it is down) · withdraw (it is started again once it is down)"
_FORCE = " · request a stop by force (SIGKILL, needs its own approval)"
_MOVING = {
    ActiveState.ACTIVATING: "its start to end",
    ActiveState.RELOADING: "its reload to end, so that its stop commands run",
    ActiveState.REFRESHING: "its refresh to end, so that its stop commands run",
    ActiveState.MAINTENANCE: "systemd to clean up after it",
}


def waits_for(seen: Snapshot) -> str:
    """The job that the unit is in, with systemd's own sub state; empty if it is in none."""
    job = job_of(seen)
    return f"{job} ({seen.sub})" if job and seen.active in (ActiveState.DEACTIVATING, *_MOVING) else job


def job_of(seen: Snapshot) -> str:
    """The job that the unit is in, in words; empty if it is in none."""
    if seen.active is ActiveState.DEACTIVATING:
        which, of = seen.stop_command
        return _STOPPING.get(seen.sub, "its stop to end") + (f" {which} of {of}" if of else "")
    if seen.active in _MOVING:
        return _MOVING[seen.active]
    return "its turn: systemd stops or starts other units first" if seen.pending_job else ""


def status(request: Request, now: datetime) -> Markup:
    """A line about a mask that is not made yet: its owner, how long it has waited, and for what."""
    target, since = request.target, request.begun_at or request.asked_at
    what = waits_for(target.last_seen) if target.last_seen else ""
    who, age = request.owner_name or request.owner.user, unit_state.span((now - since).total_seconds())
    waits = words("not masked yet (asked by {}): stopping for {}{}", who, age, f", waits for {what}" if what else "")
    return words("{}; withdrawn: it is started again once it is down", waits) if target.called_off else waits


def rows(request: Request) -> Iterator[Markup]:
    """While a change waits: what for, how long that may take, and what people can do about it."""
    target = request.target
    seen = target.last_seen
    what = waits_for(seen) if seen else ""
    if what:
        yield row("Waits for", words("{}{}", what, _limit(target) if _is_stopping(request) else ""))
    if target.called_off:
        yield row("Withdrawn", "it is started again once it is down; this card then shows how that went")
    elif target.waiting and request.can_be_called_off:
        yield row("You may", _WAIT + _FORCE * request.can_be_forced)
    if target.waiting:
        yield row("Host", "can take other changes meanwhile")


def _is_stopping(request: Request) -> bool:
    return request.ask.change.verb is Verb.MASK and any(sent.step == "stop" for sent in request.target.sent)


def _limit(target: Target) -> str:
    """The time limit applies to each step of a stop, and a unit may extend it; `before` is the limit as configured."""
    limit = unit_state.stop_limit(target.before) if target.before else None
    if limit is None:
        return ""
    return (
        "; it has no stop timeout" if limit == float("inf") else f"; each step may take up to {unit_state.span(limit)}"
    )
