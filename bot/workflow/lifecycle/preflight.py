"""Preflight: check requester, host and policy of a new request, then refuse it, post its card, or approve it."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.audit.request_event import event
from bot.core.cards.not_started import nothing_changed
from bot.core.cards.request_status import already_open
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Allow, Decision, Moment, NeedsApproval, Refuse
from bot.core.policy.requirements import approval_required
from bot.core.requests import Change, Escalation, Followup, FollowupKind, Request, Stage, Target, Verb, deadlines
from bot.core.requests.plan import plan_of
from bot.errors import HostError, Unverified, UsageError
from bot.ports import Claim, Message
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.hosts.look import patient_look
from bot.workflow.lifecycle.finish import finish, nothing_to_do
from bot.workflow.people.membership import with_names
from bot.workflow.people.routing import route
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import end, limit_events, refuse
from bot.workflow.requests.find_mask import live_masks_in_manager, real_unit_name
from bot.workflow.requests.hold_pending import keep_hold_pending
from bot.workflow.requests.lineage import Related, conflicting_request, find_related, with_all_hosts
from bot.workflow.requests.lookup import state_before


def run_preflight(deps: Deps, claim: Claim) -> Request:
    """Answer a new request: refuse it, ask the approvers, or let it run."""
    request, change = claim.request, claim.request.ask.change
    try:
        if not request.ask.requester_name:  # not every payload says how people call the person who asks
            name = deps.directory.person(request.ask.requester, ()).name
            request = replace(request, ask=replace(request.ask, requester_name=name))
        live = live_masks_in_manager(deps, change)
        related = find_related(deps, request, live)
        first = evaluate(deps, gather_facts(deps, request, Moment.ASK, related=related))
        if isinstance(first, Refuse):
            return refuse(deps, request, first, claim=claim)
        seen = state_before(deps, request.ask.extends) if request.ask.extends else None
        if seen is None:
            host = deps.in_force.inventory.host(change.host)
            seen, _ = patient_look(deps, host, real_unit_name(live, change), user=change.user)
        request = with_plan(request, seen)
        related = find_related(deps, request)  # read anew: the look took its time
        request = _completed(deps, request, related)
        decision = evaluate(deps, gather_facts(deps, request, Moment.LOOKED, snapshot=seen, related=related))
        other = conflicting_request(deps, request)
        # What needs no vote, an undo for one, is not held up by what still waits for votes.
        if other and not (isinstance(decision, Allow) and other.stage is Stage.WAITING):
            return end(deps, request, Stage.REFUSED, already_open(other), code="already_open", claim=claim)
        return act_on(deps, request, decision, claim=claim)
    except Unverified as error:
        return end(deps, request, Stage.REFUSED, str(error), code="identity_unverified", claim=claim)
    except HostError as error:
        keep_hold_pending(deps, claim.request, error, claim=claim)
        return end(deps, request, Stage.REFUSED, nothing_changed(str(error)), code=error.code, claim=claim)
    except UsageError as error:
        return end(deps, request, Stage.REFUSED, str(error), code="unknown_host", claim=claim)


def _completed(deps: Deps, request: Request, related: Related) -> Request:
    """The request with what follows from others: the mask it undoes, its further hosts, approvals it may use again."""
    ask, mask = request.ask, related.own_mask
    if mask and ask.change.verb is Verb.UNMASK:  # an unmask of one of our masks is an undo of it
        request = replace(request, ask=replace(ask, undoes=mask.id))
    return with_all_hosts(with_earlier_approvals(deps, request) if ask.repeats else request, related)


def with_earlier_approvals(deps: Deps, request: Request) -> Request:
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


def act_on(deps: Deps, request: Request, decision: Decision, *, claim: Claim) -> Request:
    """Act on the decision about a new request: refuse it, post its card, or approve it."""
    now = deps.clock.now()
    said = list[Message]()
    if not isinstance(decision, Refuse) and request.stage is Stage.ASKED:  # later the card already has its channel
        request, said = route(deps, request, decision)
    evaluated = event(
        request,
        "policy.evaluated",
        decision=type(decision).__name__,
        digest=request.target.digest,
        card=request.route.card_channel,
        told=list(request.route.told),
    )
    match decision:
        case Refuse():
            ending = nothing_to_do(deps, request, decision) if request.ask.undoes else None
            if ending:
                return finish(deps, request, ending, claim=claim)
            return refuse(deps, request, decision, claim=claim)
        case NeedsApproval():
            waiting = _waiting(request, with_names(deps, decision), policy=deps.in_force.policy.digest, now=now)
            events = [evaluated, *limit_events(request, decision)]
            return deps.store.save(waiting, events=events, messages=said, claim=claim)
        case Allow():
            approved = deadlines.approve(request, decision.because, now, timedelta(seconds=deps.timings.allowed_for))
            # What needs no vote waits for its turn for a while; what comes by itself for as long as it takes.
            act_by = None if request.ask.by_itself else request.act_by or approved.act_by
            allowed = replace(approved, act_by=act_by)
            return deps.store.save(allowed, events=[evaluated], messages=said, claim=claim)


def _waiting(request: Request, decision: NeedsApproval, *, policy: str, now: datetime) -> Request:
    """Ask the approvers, and start the deadline, reminders and escalation."""
    approval = approval_required(decision, policy=policy, now=now, window=request.ask.change.scheduled_window)
    since = deadlines.escalation_start(now, approval.approve_by, approval.approve_within)
    ask, followups = request.ask, request.followups
    if ask.break_glass:  # who asked with `--break-glass` wants what the button under Details is for
        at_once = Followup(
            FollowupKind.BREAK_GLASS,
            ask.requester,
            ask.requester_name,
            now,
            ask.place,
            ask.reason,
            request.target.digest,
            console_works=ask.console_works,
        )
        followups = (*followups, at_once)
    return request.move(
        Stage.WAITING,
        approval=approval,
        escalation=Escalation(since, decision.remind, decision.escalate),
        because=decision.because,
        followups=followups,
    )
