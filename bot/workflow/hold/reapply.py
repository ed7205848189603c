"""Reapply the mask of a hold that was removed: report the removal, and mask again by a request of the bot itself.

The hold keeps the timer, as a mask that expires does. Reapplying is retried until the mask is back, the hold is lifted,
or the policy wants removals announced only; it pauses when the mask is removed again and again.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.audit.request_event import event
from bot.core.cards import automatic_requests
from bot.core.cards import hold as words
from bot.core.people.identity import Place
from bot.core.policy.hold import paused_until
from bot.core.requests import Ask, Cause, Hold, Loss, Request, Stage
from bot.core.requests.expiry import pause as growing
from bot.errors import HostError, UsageError
from bot.ports import Message, MessageKind
from bot.workflow.hosts.look import look
from bot.workflow.paging import with_alert
from bot.workflow.people.membership import mention_ids
from bot.workflow.people.routing import place_of
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.lineage import current_hold
from bot.workflow.requests.lookup import undo_in_progress
from bot.workflow.requests.results import Update
from bot.workflow.requests.submit import submit


def report_removal(deps: Deps, mask: Request, became: Loss, agents: tuple[str, ...]) -> Update:
    """Note that a look shows the hold's mask gone or replaced; each removal is reported once."""
    hold = mask.hold
    if hold is None or mask.hold_state.loss is became:
        return Update(mask)
    now, reapply = deps.clock.now(), deps.in_force.policy.holds.reapply and became is Loss.REMOVED
    held = replace(
        mask.hold_state,
        loss=became,
        loss_seen_at=now,
        suspects=agents,
        reapply_request="",
        why="",
        try_at=now if reapply else None,
    )
    again = now + deps.aftercare.reminder_every
    off = replace(
        mask,
        hold_state=held,
        aftercare=replace(mask.aftercare, remind_at=min(mask.aftercare.remind_at or again, again)),
    )
    known = event(off, "hold.removed", outcome="failure", code=became, agents=list(agents), owners=hold.owners)
    told = _to_all(deps, off, hold, lambda: words.removal_message(off, hold, deps.in_force.policy.holds))
    return Update(off, [known], told)


def reapply(deps: Deps, request: Request) -> Request | Update:
    """Make sure that the mask of a hold is reapplied."""
    hold = current_hold(deps, request)
    if hold is None:
        return Update(replace(request, hold_state=replace(request.hold_state, try_at=None)))
    newest = (
        deps.store.get(request.hold_state.reapply_request)
        if request.hold_state.reapply_request
        else undo_in_progress(deps, request)
    )
    if newest is None:
        return _begin(deps, request, hold)
    if newest.stage.is_final:  # and the mask is still off
        why, was_refused = newest.target.note or newest.because, newest.stage is Stage.REFUSED
        pause = deps.in_force.policy.holds.reapply_within if was_refused else timedelta()
        return _not_back(deps, request, why, code=newest.stage, pause=pause)
    return _wait(deps, request, newest)


def _begin(deps: Deps, mask: Request, hold: Hold) -> Update:
    """Ask for it, unless something speaks against it now; the same key finds a request made before a crash."""
    change, now = mask.ask.change, deps.clock.now()
    if not deps.in_force.policy.holds.reapply:
        return Update(replace(mask, hold_state=replace(mask.hold_state, try_at=None)))
    if until := paused_until(mask.hold_state.reapplied_at, deps.in_force.policy.holds, now):
        return _rest(deps, mask, hold, until)
    try:
        look(deps, deps.in_force.inventory.host(change.host), mask.target.unit)
    except (HostError, UsageError) as error:
        return _not_back(deps, mask, str(error), code=getattr(error, "code", "unknown_host"))
    if stopped := active_kill_switch(deps, mask):
        return _not_back(deps, mask, automatic_requests.kill_switch_is_on(stopped.by_name), code="kill_switch_on")
    asked = submit(
        deps,
        _ask(mask, hold),
        key=f"hold:{mask.id}:{mask.hold_state.loss_seen_at:%Y%m%dT%H%M%S.%f}:{mask.hold_state.tries}",
    )
    return _wait(deps, mask, asked)


def _ask(mask: Request, hold: Hold) -> Ask:
    change = replace(mask.ask.change, unit=mask.target.unit, duration=None, scheduled_window=None, hold=hold)
    why = automatic_requests.reapply_reason(mask)
    rollout, place = mask.ask.rollout, mask.ask.place
    return Ask(change, mask.owner, mask.owner_name, place, why, repeats=mask.id, rollout=rollout, by_itself=True)


def _wait(deps: Deps, mask: Request, other: Request) -> Update:
    """A request by the bot or by somebody is running; it is checked later."""
    reapply_request = other.id if other.ask.by_itself else ""
    held = replace(mask.hold_state, reapply_request=reapply_request, try_at=_next_try(deps, mask))
    return Update(replace(mask, hold_state=held))


def _not_back(deps: Deps, mask: Request, why: str, *, code: str, pause: timedelta = timedelta()) -> Update:
    """Note why the mask cannot be reapplied now, and try again later. Each reason is reported once, not at every try.

    An unreachable host is retried as usual; what the policy refused is asked again after a `pause` only.
    """
    try_at = max(_next_try(deps, mask), deps.clock.now() + pause)
    held = replace(mask.hold_state, reapply_request="", tries=mask.hold_state.tries + 1, why=why, try_at=try_at)
    off, hold = replace(mask, hold_state=held), mask.hold
    if hold is None or mask.hold_state.why == why:
        return Update(off)
    told = event(mask, "hold.not_reapplied", outcome="failure", code=code, why=why)
    return Update(off, [told], _to_all(deps, off, hold, lambda: words.not_reapplied_message(off)))


def _rest(deps: Deps, mask: Request, hold: Hold, until: datetime) -> Update:
    """Pause a hold that was reapplied so often that somebody has to find out who removes its mask."""
    why = automatic_requests.pause_reason(len(mask.hold_state.reapplied_at))
    held = replace(mask.hold_state, try_at=until, why=why)
    paged = with_alert(replace(mask, hold_state=held), Cause.HOLD_REMOVED, deps.clock.now())
    told = event(mask, "hold.reapply_paused", outcome="failure", code="removed_again", until=until.isoformat())
    messages = [*paged.messages, *_to_all(deps, mask, hold, lambda: words.pause_message(mask, hold, until))]
    return Update(paged.request, [*paged.events, told], messages)


def _next_try(deps: Deps, mask: Request) -> datetime:
    now = deps.clock.now()
    return now + growing(now - (mask.hold_state.loss_seen_at or now), deps.aftercare)


def _to_all(deps: Deps, mask: Request, hold: Hold, draw: Callable[[], str]) -> list[Message]:
    """Post in the card's thread, and in its channel with a mention of the owners."""
    channel = Place(place_of(deps, mask).channel)
    body = in_words(deps, mask, draw)
    mentions = tuple(dict.fromkeys((*mention_ids(deps, (hold.owners,)), mask.owner.user)))
    return [
        Message(MessageKind.NOTE, body=body),
        Message(MessageKind.NOTE, body=body, place=channel, mentions=mentions),
    ]
