"""The end of a mask: what was there before it is brought back, by a request of our own that goes the way of any other.

The mask keeps the clock. While its host does not answer no request is made, so that nobody who unmasks it by hand
meanwhile finds one in the way; it is tried again with growing pauses until the mask is gone, and its card says so.
"""

from dataclasses import replace

from bot.core.people.identity import ITSELF
from bot.core.requests import Ask, Request
from bot.core.requests.expiry import is_late, next_try, put_off
from bot.core.requests.timers import mask_ends
from bot.errors import HostError, UsageError
from bot.ports import Claim
from bot.workflow.hosts.look import look
from bot.workflow.process.deps import Parts
from bot.workflow.requests.closing import event
from bot.workflow.requests.lookup import at_work
from bot.workflow.requests.submit import record


def bring_back(parts: Parts, claim: Claim, request: Request) -> Request:
    """See to it that a mask whose end has come is taken back."""
    due = mask_ends(request)
    if due is None or due > parts.clock.now():
        return request
    newest = parts.store.get(request.standing.returning) if request.standing.returning else at_work(parts, request)
    if newest is None:
        return _begin(parts, claim, request)
    if newest.stage.is_final:  # and the mask still stands
        return _overdue(parts, claim, request, newest.target.note or newest.because, code=newest.stage)
    return _wait(parts, claim, request, newest)


def _begin(parts: Parts, claim: Claim, mask: Request) -> Request:
    """Ask for the undo; the same key finds the request that was made before a crash."""
    standing, change = mask.standing, mask.ask.change
    try:
        look(parts, parts.host(change.host), mask.target.unit, user=change.user)
    except HostError as error:
        return _overdue(parts, claim, mask, str(error), code=error.code)
    except UsageError as error:
        return _overdue(parts, claim, mask, str(error), code="unknown_host")
    key = f"end:{mask.id}:{standing.ends_at:%Y%m%dT%H%M%S.%f}:{standing.tries}"
    request = record(parts, _ask(mask), key=key)
    return _wait(parts, claim, mask, request)


def _ask(mask: Request) -> Ask:
    change = mask.ask.change.taken_back(mask.target.unit)
    because = "The hold for its group was lifted" if mask.ask.change.hold else "It ends now, as it was approved"
    why = f"{because}: {mask.ask.reason}".removesuffix(": ")
    return Ask(change, ITSELF, ITSELF.user, mask.ask.place, why, undoes=mask.id, by_itself=True)


def _wait(parts: Parts, claim: Claim, mask: Request, other: Request) -> Request:
    """The undo, ours or somebody's, is under way; it is seen after later."""
    returning = other.id if other.ask.by_itself else ""
    now, care, standing = parts.clock.now(), parts.care, replace(mask.standing, returning=returning)
    if is_late(other, standing.ends_at, now, care):
        standing = put_off(standing, f"A request for it is {other.stage}, and not over yet.", now, care)
    waits = replace(standing, try_at=next_try(standing, now, care))
    return parts.store.save(replace(mask, standing=waits), claim=claim)


def _overdue(parts: Parts, claim: Claim, mask: Request, why: str, *, code: str) -> Request:
    """Not this time. The record is told once for each reason, not at every try."""
    standing = put_off(mask.standing, why, parts.clock.now(), parts.care)
    standing = replace(standing, returning="", tries=standing.tries + 1)
    told = event(mask, "mask.overdue", outcome="failure", code=code, why=why, ends_at=standing.ends_at)
    events = [told] if mask.standing.overdue != why else []
    return parts.store.save(replace(mask, standing=standing), events=events, claim=claim)
