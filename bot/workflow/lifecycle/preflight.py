"""Preflight: check requester, host and policy of a new request, so that it can be decided."""

from bot.core.cards.not_started import nothing_changed
from bot.core.cards.request_status import already_open
from bot.core.cards.rollout.reasons import would_leave_too_few
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Allow, Decision, Facts, Moment, Refuse
from bot.core.requests import Request, Stage
from bot.core.requests.plan import with_earlier_approvals
from bot.core.steps.restoring import starts_again
from bot.core.systemd.units import Snapshot
from bot.errors import HostError, Unverified, UsageError
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.hold.pending import pending_hold
from bot.workflow.hosts.keep_active import too_few
from bot.workflow.hosts.look import look_to_decide
from bot.workflow.process.deps import Deps
from bot.workflow.requests.find_mask import live_masks_in_manager, real_unit_name
from bot.workflow.requests.lineage import conflicting_request, target_to_restore
from bot.workflow.requests.lookup import with_requester_name
from bot.workflow.requests.results import Closing, Decided, Update


def run_preflight(deps: Deps, request: Request) -> Decided | Update | Closing:
    """Answer a new request: refuse it, or let the policy decide after a full look. Raises `NotYet`."""
    change = request.ask.change
    try:
        request = with_requester_name(deps, request)
        live = live_masks_in_manager(deps, change)
        first = evaluate(deps, gather_facts(deps, request, Moment.ASK, live=live))
        if isinstance(first, Refuse):
            return Closing(request, Stage.REFUSED, first.sentence, first.code)
        seen, status = look_to_decide(deps, request, real_unit_name(live, change))
        request = with_plan(request.on_target(status_before=status), seen)
        if request.ask.repeats:
            request = with_earlier_approvals(request, deps.store.get(request.ask.repeats), deps.clock.now())
        given = gather_facts(deps, request, Moment.LOOKED, snapshot=seen)
        decision = evaluate(deps, given)
    except Unverified as error:
        return Closing(request, Stage.REFUSED, str(error), "identity_unverified")
    except HostError as error:
        pending = pending_hold(deps, request, error)
        return pending or Closing(request, Stage.REFUSED, nothing_changed(str(error)), error.code)
    except UsageError as error:
        return Closing(request, Stage.REFUSED, str(error), "unknown_host")
    request = _with_starts(deps, given.request, seen)
    other = conflicting_request(deps, request)
    # What needs no vote, an undo for one, is not held up by what still waits for votes.
    if other and not (isinstance(decision, Allow) and other.stage is Stage.WAITING):
        return Closing(request, Stage.REFUSED, already_open(other), "already_open")
    if no := _too_few(deps, given, seen, decision):
        return Closing(request, Stage.REFUSED, no, "too_few_active")
    return Decided(request, decision, deps.in_force.policy.digest)


def _too_few(deps: Deps, given: Facts, seen: Snapshot, decision: Decision) -> str:
    """Why a single request is refused that would leave too few hosts that run its unit; a rollout counts for all."""
    if isinstance(decision, Refuse) or given.request.ask.rollout:
        return ""
    short, _ = too_few(deps, given, seen)
    return would_leave_too_few(short, 1) if short else ""


def _with_starts(deps: Deps, request: Request, seen: Snapshot) -> Request:
    """An undo with the units that it will start, for its card."""
    if not request.ask.undoes:
        return request
    mask, beside = target_to_restore(deps, request.ask.undoes), request.ask.change.beside
    return request.on_target(starts=starts_again(mask, seen, beside=beside))
