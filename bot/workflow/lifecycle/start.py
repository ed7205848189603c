"""Start an approved request: look again, ask the policy again, and lock the host if everything still holds."""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards import not_started as words
from bot.core.cards import voting as about_approvals
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Allow, Moment, NeedsApproval, Refuse
from bot.core.policy.requirements import updated_approval, with_original_requirements
from bot.core.policy.rules.expiry import EXTENSION
from bot.core.requests import Extension, Outcome, Request, Stage, Verb
from bot.core.requests.plan import differences, plan_of
from bot.core.steps import Done
from bot.core.systemd.units import Snapshot
from bot.errors import HostBusy, HostError, NotYet, Unverified, UsageError
from bot.ports import Claim, Query
from bot.workflow.approval.reevaluate import without_lost_approvals
from bot.workflow.audit_shipping import may_leave_unshipped, unshipped_required
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.hosts.look import patient_look, status_head
from bot.workflow.lifecycle.finish import Ending, finish, nothing_to_do
from bot.workflow.lifecycle.preflight import act_on
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import back_to_waiting, end, limit_events, refuse
from bot.workflow.requests.hold_group_members import newest_request
from bot.workflow.requests.hold_pending import keep_hold_pending
from bot.workflow.requests.lookup import state_before
from bot.workflow.requests.marks import mark_extended


def start(deps: Deps, claim: Claim, request: Request, *, seen: Snapshot | None = None) -> Request:
    """Start an approved request, or end it, or ask people anew. Raises `NotYet`: then it waits.

    `seen` is a full look made a moment ago, if there is one.
    """
    change, status = request.ask.change, ""
    if request.act_by and deps.clock.now() > request.act_by:
        return end(deps, request, Stage.TIMED_OUT, words.unused(request), code="approval_timed_out", claim=claim)
    _wait_for_its_turn(deps, request, claim=claim)
    if request.ask.undoes:  # a hold that was reapplied meanwhile has a newer mask
        request = replace(request, ask=replace(request.ask, undoes=newest_request(deps, request.ask.undoes).id))
    try:
        host = deps.in_force.inventory.host(change.host)
        if seen is None and request.ask.extends:
            seen = state_before(deps, request.ask.extends)
        if seen is None:
            seen, status = patient_look(deps, host, request.target.unit, acting=True, user=change.user)
        deps = deps.pinned()  # the look took time, and the policy may have changed meanwhile
        found = with_plan(request, seen).on_target(planned=request.target.planned)  # what people saw stays beside it
        fresh = with_original_requirements(found, policy=deps.in_force.policy.digest)
        decision = evaluate(deps, gather_facts(deps, fresh, Moment.ACT, snapshot=seen))
    except HostError as error:
        _wait_for_the_host(deps, request, error, claim=claim)
        return finish(deps, request, Ending(Done(Outcome.FAILED, str(error))), claim=claim)
    except Unverified as error:  # Slack is away: nobody's right is lost, it is only not known
        raise NotYet(str(error), again_in=deps.timings.not_verified) from error
    except UsageError as error:
        return end(deps, request, Stage.CANCELLED, str(error), code="too_late", claim=claim)
    if not isinstance(decision, Allow):
        return _not_now(deps, fresh, decision, approved=request.target.digest, claim=claim)
    if request.ask.extends:
        return _extend(deps, fresh, decision, claim=claim)
    status = status or status_head(deps, host, fresh.target.unit, user=change.user)
    return _lock_host(deps, fresh.on_target(status_before=status, last_seen=seen), claim=claim)


def _lock_host(deps: Deps, request: Request, *, claim: Claim) -> Request:
    """Let the request run: from here on it has the host for itself. Raises `HostBusy` if another was quicker."""
    now = deps.clock.now()
    running = _where_it_left_off(deps, request) if request.ask.repeats else request
    running = running.move(Stage.RUNNING, begun_at=now, due_at=now)
    begun = event(running, "exec.started", digest=running.target.digest, unshipped=unshipped_required(deps))
    return deps.store.save(running, events=[begun], claim=claim)


def _wait_for_the_host(deps: Deps, request: Request, error: HostError, *, claim: Claim) -> None:
    """Wait for an unreachable host until the scheduled window closes; a hold waits in any case.

    Raises `NotYet`, and the card says why.
    """
    keep_hold_pending(deps, request, error, claim=claim)
    if request.ask.change.scheduled_window is None or not error.passing:
        return
    if request.target.note != str(error):
        deps.store.save(request.on_target(note=str(error)), claim=claim, urgent=False)
    raise NotYet(str(error), again_in=deps.timings.recheck_longest)


def _wait_for_its_turn(deps: Deps, request: Request, *, claim: Claim) -> None:
    """Wait while another change runs on the host; a new mask also waits for its card and for the kill switch.

    An undo waits for neither card nor kill switch. A reapplied hold is visible on the hold's own card.
    """
    running = deps.store.find(Query(host=request.ask.change.host, stages=frozenset({Stage.RUNNING})))
    if other := next((one for one in running if _is_in_the_way(one, request)), None):
        _say_what_it_waits_for(deps, request, other, claim=claim)
        text = f"Another change is running on {request.ask.change.host}."
        raise HostBusy(text, again_in=deps.timings.host_busy)
    if request.kill_switch or (deps.sinks and request.is_new_mask and may_leave_unshipped(deps)):
        raise NotYet("The kill switch is on, or audit shipping is behind.", again_in=deps.timings.host_busy)
    is_new, place = request.ask.change.verb is Verb.MASK and not request.ask.by_itself, request.ask.place
    if is_new and not place.is_shell and not all(deps.store.card(request.id)):
        raise NotYet("Its card is not posted yet.", again_in=deps.timings.host_busy)


def _say_what_it_waits_for(deps: Deps, request: Request, other: Request, *, claim: Claim) -> None:
    """Show on the waiting request's card which long change it waits for."""
    since = other.begun_at or other.asked_at
    note = words.waits_for(other)
    if (deps.clock.now() - since).total_seconds() > deps.timings.progress and request.target.note != note:
        deps.store.save(request.on_target(note=note), claim=claim, urgent=False)


def _is_in_the_way(other: Request, request: Request) -> bool:
    """Whether another request is in the way. A request that does nothing on a host waits only for its own mask's undo.

    A slow stop or start blocks its unit, not its host; what an undo starts slowly may be masked again.
    """
    if other.id == request.ask.forces and other.target.waiting:
        return False
    if other.target.waiting:
        is_masked_again = other.ask.change.verb is Verb.UNMASK and request.ask.change.verb is Verb.MASK
        return other.target.unit == request.target.unit and not is_masked_again
    return not request.ask.extends or other.ask.undoes == request.ask.extends


def _where_it_left_off(deps: Deps, fresh: Request) -> Request:
    """A repeated request goes on with the first one's link, if that is in place, and restores what ran before the
    first.
    """
    first = deps.store.get(fresh.ask.repeats).target
    if first.made is None or first.layer is None or fresh.target.before is None:
        return fresh
    if fresh.target.before.layer(first.layer).identity != first.made.identity:
        return fresh
    return fresh.on_target(made=first.made, before=first.before)


def _not_now(deps: Deps, fresh: Request, decision: Refuse | NeedsApproval, *, approved: str, claim: Claim) -> Request:
    """Why an approved request does not run: nothing to do, lost rights, or a unit that has changed.

    A request that ends keeps the approved digest, so that its card still names its approvers.
    """
    if isinstance(decision, Refuse):
        fresh = fresh.on_target(digest=approved)
        ending = nothing_to_do(deps, fresh, decision)
        return finish(deps, fresh, ending, claim=claim) if ending else refuse(deps, fresh, decision, claim=claim)
    if fresh.approval is None:  # no approval was needed when it was asked, and now one is
        return act_on(deps, replace(fresh, approved_at=None, act_by=None), decision, claim=claim)
    asked = updated_approval(
        fresh.approval, decision, policy=deps.in_force.policy.digest, window=fresh.ask.change.scheduled_window
    )
    lost = without_lost_approvals(fresh, decision)
    who_lost = (f"who may approve: {about_approvals.lost(lost.voters)}",) if lost.voters else ()
    changed = (*_what_changed(fresh), *about_approvals.needs_more(fresh.approval, asked), *who_lost)
    anew = replace(lost.request, approval=asked)
    events = (*lost.events, *limit_events(fresh, decision))
    return back_to_waiting(
        deps, anew, changed or (about_approvals.NEEDS_MORE,), events=events, messages=lost.messages, claim=claim
    )


def _what_changed(fresh: Request) -> tuple[str, ...]:
    target, change = fresh.target, fresh.ask.change
    if target.planned is None or target.before is None or target.layer is None:
        return ()
    return differences(plan_of(change, target.planned, target.layer), plan_of(change, target.before, target.layer))


def _extend(deps: Deps, request: Request, decision: Allow, *, claim: Claim) -> Request:
    """Write the new expiry into the mask, then the outcome; repeated after a crash between the two, with one effect."""
    ask, duration, hold = request.ask, request.ask.change.duration, request.ask.change.hold
    until = hold.review if hold else duration.until if duration else None
    now = deps.clock.now()
    by = Extension(request.id, request.owner, request.owner_name, now, until, ask.reason)
    if not mark_extended(deps, ask.extends, by, is_approved=decision.rule != EXTENSION):
        return end(deps, request, Stage.CANCELLED, words.UNDONE_BEFORE, code="no_expiry", claim=claim)
    return finish(deps, request, Ending(Done(Outcome.EXTENDED)), claim=claim)
