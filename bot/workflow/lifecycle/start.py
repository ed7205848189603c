"""Start an approved request: look again, ask the policy again, and lock the host if everything still holds."""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards import not_started as words
from bot.core.cards.rollout.reasons import too_few_active
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Allow, Moment, Refuse
from bot.core.policy.requirements import with_original_requirements
from bot.core.policy.rules.calendar_and_limits import limits_to_keep
from bot.core.policy.rules.expiry import EXTENSION
from bot.core.requests import Extension, Outcome, Request, Stage, Verb
from bot.core.steps import Done
from bot.core.systemd.units import Snapshot
from bot.errors import HostBusy, HostError, NotYet, Unverified, UsageError
from bot.ports import NOT_COUNTED, Counted, Query
from bot.workflow.audit_shipping import may_leave_unshipped, unshipped_required
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.hold.pending import pending_hold
from bot.workflow.hosts.keep_active import too_few
from bot.workflow.hosts.look import look_to_decide
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lineage import newest_request
from bot.workflow.requests.marks import mark_extended
from bot.workflow.requests.results import Closing, Decided, Ending, Update

_COUNTED_AGAIN = 10  # times the pause of a request that waits for its host: each count looks at every host of a group


def start(deps: Deps, request: Request, *, seen: Snapshot | None = None) -> Update | Decided | Closing | Ending:
    """Start an approved request, or end it, or have people asked anew. Raises `NotYet`: then it waits.

    `seen` is a full look made a moment ago, if there is one.
    """
    if waits := _wait_for_its_turn(deps, request):
        return waits
    try:
        decided = _decide(deps, request, seen)
    except HostError as error:
        return _wait_for_the_host(deps, request, error) or Ending(request, Done(Outcome.FAILED, str(error)))
    except Unverified as error:  # Slack is away: nobody's right is lost, it is only not known
        raise NotYet(str(error), again_in=deps.timings.not_verified) from error
    except UsageError as error:
        return Closing(request, Stage.CANCELLED, str(error), "too_late")
    if isinstance(decided, Update) or not isinstance(decided.decision, Allow):
        return decided
    if request.ask.extends:
        return extend(deps, decided.request, decided.decision)
    return _run(deps, decided.request, decided.counted)


def end_unused(deps: Deps, request: Request) -> Closing:
    """End an approved request that could not start while its approval was good."""
    return Closing(request, Stage.TIMED_OUT, words.unused(request), "approval_timed_out")


def _decide(deps: Deps, request: Request, seen: Snapshot | None) -> Decided | Update:
    """Look at the host again, and decide by what is there now; or say why it waits.

    Raises `HostError`, `Unverified`, `UsageError`, and `NotYet` if the card says already why it waits.
    """
    ask, target = request.ask, request.target
    if seen is None:
        seen, status = look_to_decide(deps, request, target.unit)
        request = request.on_target(status_before=status)
    deps = deps.pinned()  # the look took time, and the policy may have changed meanwhile
    found = with_plan(request, seen).on_target(planned=target.planned)  # what people saw stays beside it
    fresh = with_original_requirements(found, policy=deps.in_force.policy.digest)
    given = gather_facts(deps, fresh, Moment.ACT, snapshot=seen)
    decision = evaluate(deps, given)
    if ask.undoes and given.own_mask:  # a hold that was reapplied meanwhile has a newer mask
        fresh = replace(fresh, ask=replace(ask, undoes=given.own_mask.id))
    short, counted = too_few(deps, given, seen) if isinstance(decision, Allow) else (None, NOT_COUNTED)
    counted = replace(counted, limits=limits_to_keep(given, deps.in_force.policy))
    if short:
        if not (given.rollout and given.rollout.rollout and given.rollout.rollout.stopped_at):
            why = f"{too_few_active(short)}."
            return _noted(request, why, NotYet(why, again_in=deps.timings.host_busy * _COUNTED_AGAIN))
        decision = Refuse("rollout_is_over", "Its rollout was stopped before its turn came.")
    if isinstance(decision, Allow) and not ask.extends:
        fresh = fresh.on_target(last_seen=seen)
    if isinstance(decision, Refuse):  # what ends keeps the approved digest, so that its card still names its approvers
        fresh = fresh.on_target(digest=target.digest)
    return Decided(fresh, decision, deps.in_force.policy.digest, counted=counted)


def _run(deps: Deps, request: Request, counted: Counted) -> Update:
    """Let the request run: from here on it has the host for itself, unless another was quicker."""
    now = deps.clock.now()
    running = _where_it_left_off(deps, request) if request.ask.repeats else request
    running = running.move(Stage.RUNNING, begun_at=now, due_at=now)
    begun = event(running, "exec.started", digest=running.target.digest, unshipped=unshipped_required(deps))
    return Update(running, [begun], counted=counted)


def _wait_for_the_host(deps: Deps, request: Request, error: HostError) -> Update | None:
    """Wait for an unreachable host until the scheduled window closes, and say so on the card; a hold waits in any case.

    None if the request does not wait. Raises `NotYet` if the card says it already.
    """
    if request.ask.change.scheduled_window and error.passing:
        return _noted(request, str(error), NotYet(str(error), again_in=deps.timings.recheck_longest))
    return pending_hold(deps, request, error)


def _noted(request: Request, note: str, why: NotYet) -> Update:
    """Note on the card why the request waits. Raises the reason if the card says it already."""
    if request.target.note == note:
        raise why
    return Update(request.on_target(note=note), is_urgent=False, then=why)


def _wait_for_its_turn(deps: Deps, request: Request) -> Update | None:
    """Wait while another change runs on the host; a new mask also waits for its card and for the kill switch.

    An undo waits for neither card nor kill switch. A reapplied hold is visible on the hold's own card. Raises `NotYet`
    if the card has nothing new to say about that.
    """
    running = deps.store.find(Query(host=request.ask.change.host, stages=frozenset({Stage.RUNNING})))
    if other := next((one for one in running if _is_in_the_way(one, request)), None):
        text = f"Another change is running on {request.ask.change.host}."
        busy = HostBusy(text, again_in=deps.timings.host_busy)
        now = deps.clock.now()
        if (now - (other.begun_at or other.asked_at)).total_seconds() <= deps.timings.progress:
            raise busy
        return _noted(request, words.waits_for(other, now), busy)
    if request.kill_switch or (deps.sinks and request.is_new_mask and may_leave_unshipped(deps)):
        raise NotYet("The kill switch is on, or audit shipping is behind.", again_in=deps.timings.host_busy)
    is_new, place = request.ask.change.verb is Verb.MASK and not request.ask.by_itself, request.ask.place
    if is_new and not place.is_shell and not all(deps.store.card(request.ask.rollout or request.id)):
        raise NotYet("Its card is not posted yet.", again_in=deps.timings.host_busy)
    return None


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


def extend(deps: Deps, request: Request, decision: Allow) -> Ending | Closing:
    """Write the new expiry into the mask, then the outcome; repeated after a crash between the two, with one effect."""
    ask, duration, hold = request.ask, request.ask.change.duration, request.ask.change.hold
    until = hold.review if hold else duration.until if duration else None
    now, mask = deps.clock.now(), newest_request(deps, ask.extends)
    by = Extension(request.id, request.owner, request.owner_name, now, until, ask.reason, ask.new_kind, ask.remind_at)
    if not mark_extended(deps, mask.id, by, is_approved=decision.rule != EXTENSION, held=hold):
        why = words.CHANGED_BEFORE if deps.store.get(mask.id).is_live_mask else words.UNDONE_BEFORE
        return Closing(request, Stage.CANCELLED, why, "no_expiry")
    return Ending(request, Done(Outcome.EXTENDED))
