"""Preflight: check requester, host and policy of a new request, so that it can be decided."""

from dataclasses import replace

from bot.core.cards.not_started import nothing_changed
from bot.core.cards.request_status import already_open
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Allow, Moment, Refuse
from bot.core.requests import Change, Request, Stage, Target
from bot.core.requests.plan import plan_of
from bot.errors import HostError, Unverified, UsageError
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.hosts.look import patient_look
from bot.workflow.process.deps import Deps
from bot.workflow.requests.find_mask import live_masks_in_manager, real_unit_name
from bot.workflow.requests.hold_pending import pending_hold
from bot.workflow.requests.lineage import conflicting_request
from bot.workflow.requests.lookup import state_before
from bot.workflow.requests.results import Closing, Decided, Update


def run_preflight(deps: Deps, request: Request) -> Decided | Update | Closing:
    """Answer a new request: refuse it, or let the policy decide after a full look. Raises `NotYet`."""
    change = request.ask.change
    try:
        if not request.ask.requester_name:  # not every payload says how people call the person who asks
            request = _named(deps, request)
        live = live_masks_in_manager(deps, change)
        first = evaluate(deps, gather_facts(deps, request, Moment.ASK, live=live))
        if isinstance(first, Refuse):
            return Closing(request, Stage.REFUSED, first.sentence, first.code)
        seen = state_before(deps, request.ask.extends) if request.ask.extends else None
        if seen is None:
            host = deps.in_force.inventory.host(change.host)
            seen, _ = patient_look(deps, host, real_unit_name(live, change), user=change.user)
        request = with_plan(request, seen)
        if request.ask.repeats:
            request = _with_earlier_approvals(deps, request)
        given = gather_facts(deps, request, Moment.LOOKED, snapshot=seen)
        decision = evaluate(deps, given)
    except Unverified as error:
        return Closing(request, Stage.REFUSED, str(error), "identity_unverified")
    except HostError as error:
        pending = pending_hold(deps, request, error)
        return pending or Closing(request, Stage.REFUSED, nothing_changed(str(error)), error.code)
    except UsageError as error:
        return Closing(request, Stage.REFUSED, str(error), "unknown_host")
    request = given.request
    other = conflicting_request(deps, request)
    # What needs no vote, an undo for one, is not held up by what still waits for votes.
    if other and not (isinstance(decision, Allow) and other.stage is Stage.WAITING):
        return Closing(request, Stage.REFUSED, already_open(other), "already_open")
    return Decided(request, decision, deps.in_force.policy.digest)


def _named(deps: Deps, request: Request) -> Request:
    name = deps.directory.person(request.ask.requester, ()).name
    return replace(request, ask=replace(request.ask, requester_name=name))


def _with_earlier_approvals(deps: Deps, request: Request) -> Request:
    """A repeated request runs under the approvals of the first, while they are good and the unit is unchanged."""
    first, target = deps.store.get(request.ask.repeats), request.target
    if request.ask.by_itself or first.act_by is None or deps.clock.now() > first.act_by:
        return request
    if not _same_plan(request.ask.change, first.target, target):
        return request
    votes = tuple(replace(vote, digest=target.digest) for vote in first.counted_votes)
    used = replace(first.break_glass, digest=target.digest) if first.break_glass and first.is_break_glass else None
    return replace(request, votes=votes, break_glass=used, approval=first.approval, act_by=first.act_by)


def _same_plan(change: Change, was: Target, is_now: Target) -> bool:
    """Whether nothing differs from the approved plan; our own link may be in place already."""
    if was.before is None or is_now.before is None or was.layer is None or was.layer is not is_now.layer:
        return False
    first, second = plan_of(change, was.before, was.layer), plan_of(change, is_now.before, was.layer)
    return all(first[part] == second[part] for part in first if part != "its masks")
