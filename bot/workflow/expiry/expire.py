"""Undo a mask that has expired, by a request of the bot itself that takes the usual way.

The mask keeps the timer. While its host does not answer, no request is made, so that somebody who unmasks it by hand
finds none in the way. The undo is retried with growing pauses until the mask is gone, and its card says so.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards import automatic_requests
from bot.core.cards.rollout.reasons import not_undone
from bot.core.people.identity import ITSELF
from bot.core.requests import Ask, Request, Stage
from bot.core.requests.expiry import is_late, next_try, postpone_undo
from bot.core.systemd.units import UnitName
from bot.errors import HostError, UsageError
from bot.workflow.hosts.look import look
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lookup import undo_in_progress
from bot.workflow.requests.results import Update
from bot.workflow.requests.submit import submit

_AT_ONCE = 10  # looks at hosts of a rollout


def expire(deps: Deps, request: Request) -> Update:
    """Make sure that an expired mask is undone."""
    newest = (
        deps.store.get(request.aftercare.undo_request)
        if request.aftercare.undo_request
        else undo_in_progress(deps, request)
    )
    if newest is None:
        return _begin(deps, request)
    if newest.stage.is_final:  # and the mask is still there
        return _overdue(deps, request, _why_not(newest), code=newest.stage)
    return _wait(deps, request, newest)


def _why_not(undo: Request) -> str:
    """Why an undo that is over has left the mask where it is, or some of the masks of a rollout."""
    if undo.rollout and undo.stage is Stage.DONE:
        return not_undone(undo.rollout)
    return undo.target.note or undo.because


def _begin(deps: Deps, mask: Request) -> Update:
    """Ask for the undo; the same key finds a request that was made before a crash."""
    aftercare = mask.aftercare
    try:
        _look_whether_it_answers(deps, mask)
    except HostError as error:
        return _overdue(deps, mask, str(error), code=error.code)
    except UsageError as error:
        return _overdue(deps, mask, str(error), code="unknown_host")
    key = f"end:{mask.id}:{aftercare.expires_at:%Y%m%dT%H%M%S.%f}:{aftercare.tries}"
    request = submit(deps, _ask(mask), key=key)
    return _wait(deps, mask, request)


def _look_whether_it_answers(deps: Deps, mask: Request) -> None:
    """Look at the mask's host; of a rollout, at a few of those that are left, at others each time. Raises `HostError`.

    Raises `UsageError` for a host that is not in the inventory any more.
    """
    left = [one for one in mask.rollout.targets if one.can_be_undone] if mask.rollout else []
    begin, change = mask.aftercare.tries * _AT_ONCE % max(1, len(left)), mask.ask.change
    some = [(one.host, one.unit) for one in (*left[begin:], *left[:begin])[:_AT_ONCE]]

    def trouble(target: tuple[str, UnitName]) -> HostError | UsageError | None:
        try:
            look(deps, deps.in_force.inventory.host(target[0]), target[1], user=change.user)
        except (HostError, UsageError) as error:
            return error
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = [*pool.map(trouble, some or [(change.host, mask.target.unit)])]
    if None not in found and found[0]:
        raise found[0]


def _ask(mask: Request) -> Ask:
    change = mask.ask.change.as_undo(mask.target.unit)
    return Ask(
        change,
        ITSELF,
        ITSELF.user,
        mask.ask.place,
        automatic_requests.expiry_reason(mask),
        undoes=mask.id,
        selection=mask.ask.selection,
        by_itself=True,
    )


def _wait(deps: Deps, mask: Request, other: Request) -> Update:
    """The undo, by the bot or by somebody, is running; it is checked later."""
    undo_request = other.id if other.ask.by_itself else ""
    now, care, aftercare = deps.clock.now(), deps.aftercare, replace(mask.aftercare, undo_request=undo_request)
    if is_late(other, aftercare.expires_at, now, care):
        aftercare = postpone_undo(aftercare, automatic_requests.waits_for(other), now, care)
    waits = replace(aftercare, try_at=next_try(aftercare, now, care))
    return Update(replace(mask, aftercare=waits))


def _overdue(deps: Deps, mask: Request, why: str, *, code: str) -> Update:
    """The undo is not possible now. Each reason is recorded once, not at every try."""
    aftercare = postpone_undo(mask.aftercare, why, deps.clock.now(), deps.aftercare)
    aftercare = replace(aftercare, undo_request="", tries=aftercare.tries + 1)
    told = event(mask, "mask.overdue", outcome="failure", code=code, why=why, expires_at=aftercare.expires_at)
    events = [told] if mask.aftercare.overdue != why else []
    return Update(replace(mask, aftercare=aftercare), events)
