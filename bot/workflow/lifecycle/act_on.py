"""Act on a decision about a request: refuse it, approve it, ask its approvers, or ask them anew."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards import voting as words
from bot.core.cards.step_up import CODE_MISSING
from bot.core.policy.model import Allow, NeedsApproval, Refuse
from bot.core.policy.requirements import approval_required, updated_approval
from bot.core.policy.rules.approval import STEP_UP_MISSING
from bot.core.policy.rules.calendar_and_limits import REACH
from bot.core.requests import Approval, Escalation, Followup, FollowupKind, Request, Stage, Tally, Vote, deadlines
from bot.core.requests.plan import differences, plan_of
from bot.ports import Message, MessageKind
from bot.workflow.lifecycle.finish import nothing_to_do
from bot.workflow.people.membership import with_names
from bot.workflow.people.routing import route
from bot.workflow.process.deps import Deps
from bot.workflow.requests.find_mask import live_masks_in_manager
from bot.workflow.requests.results import Closing, Decided, Ending, Update


def act_on(deps: Deps, decided: Decided) -> Update | Closing | Ending:
    """What follows from the decision. Read by stage: a new request, one that waits, one that was approved before."""
    request = decided.request
    is_target = request.ask.rollout and not request.ask.repeats
    if is_target and request.stage is Stage.ASKED and not isinstance(decided.decision, Refuse):
        planned = request.move(Stage.WAITING, because=decided.decision.because, due_at=None)
        return Update(planned, [_evaluated(planned, decided)], is_urgent=False)  # it waits for its rollout
    match decided.decision:
        case Refuse() as refusal:
            return _refuse(deps, decided, refusal)
        case Allow() as allowed if request.stage is Stage.WAITING and request.approval:
            approved = deadlines.approve(request, allowed.because, deps.clock.now(), request.approval.good_for)
            return Update(approved, [*decided.events, event(request, "approval.quorum", digest=request.target.digest)])
        case Allow() as allowed:
            return _allow(deps, decided, allowed)
        case NeedsApproval() as needed if request.approval is None or request.stage is Stage.ASKED:
            asked = _ask_approvers(deps, decided, needed)
            is_changed = bool(request.ask.rollout)  # its rollout was approved, and its plan is another one now
            return (
                replace(asked, request=replace(asked.request, changed_since=_what_changed(request)))
                if is_changed
                else asked
            )
        case NeedsApproval() as needed if request.stage is Stage.WAITING:
            return _update_requirements(deps, decided, needed, request.approval)
        case NeedsApproval() as needed:
            return _ask_again(deps, decided, needed, request.approval)


def _refuse(deps: Deps, decided: Decided, refusal: Refuse) -> Closing | Ending:
    """Refuse a request, unless its goal is reached already: then it ends as a change that found nothing to do."""
    request = decided.request
    is_checked = request.stage is Stage.APPROVED or (request.stage is Stage.ASKED and request.ask.undoes)
    ending = nothing_to_do(deps, request, refusal) if is_checked else None
    return ending or Closing(
        request, Stage.REFUSED, refusal.sentence, refusal.code, decided.events, _mask_in_the_way(deps, request, refusal)
    )


def _mask_in_the_way(deps: Deps, request: Request, refusal: Refuse) -> str:
    """The mask of ours because of which the unit is masked already."""
    if refusal.code != "already_masked":
        return ""
    live = live_masks_in_manager(deps, request.ask.change)
    return next((mask.id for mask in live if mask.target.unit == request.target.unit), "")


def _allow(deps: Deps, decided: Decided, allowed: Allow) -> Update:
    """Approve a new request that needs nobody's approval.

    It waits for its turn for a while; a request by the bot itself, for as long as it takes.
    """
    request, said = route(deps, decided.request, allowed)
    usual = timedelta(seconds=deps.timings.allowed_for)
    approved = deadlines.approve(request, allowed.because, deps.clock.now(), usual)
    act_by = None if request.ask.by_itself else request.act_by or approved.act_by
    return Update(replace(approved, act_by=act_by), [_evaluated(request, decided)], said)


def _ask_approvers(deps: Deps, decided: Decided, needed: NeedsApproval) -> Update:
    """Ask the approvers, and start the deadline, reminders and escalation."""
    request, said, now = decided.request, list[Message](), deps.clock.now()
    if request.stage is Stage.ASKED:
        request, said = route(deps, request, needed)
    else:  # no approval was needed when it was asked, and now one is; its card already has a channel
        request = replace(request, approved_at=None, act_by=None)
    ask, needed, evaluated = request.ask, with_names(deps, needed), _evaluated(request, decided)
    approval = approval_required(needed, policy=decided.policy, now=now, window=ask.change.scheduled_window)
    since = deadlines.escalation_start(now, approval.approve_by, approval.approve_within)
    waiting = request.move(
        Stage.WAITING,
        approval=approval,
        escalation=Escalation(since, needed.remind, needed.escalate),
        because=needed.because,
    )
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
            stepped_up=ask.stepped_up,
        )
        waiting = replace(waiting, followups=(*request.followups, at_once))
    return Update(waiting, [evaluated, *_limit_events(request, needed)], said)


def _update_requirements(deps: Deps, decided: Decided, needed: NeedsApproval, before: Approval) -> Update:
    """A request goes on waiting, with the approvals that are required now."""
    request, needed = decided.request, with_names(deps, needed)
    window = request.ask.change.scheduled_window
    asked = updated_approval(before, needed, policy=decided.policy, window=window)
    lost = _without_lost_approvals(replace(request, approval=asked), needed)
    events = [*decided.events, *lost.events, *_limit_events(request, needed)]
    return Update(lost.request, events, [*decided.messages, *lost.messages])


def _ask_again(deps: Deps, decided: Decided, needed: NeedsApproval, before: Approval) -> Update:
    """Ask people anew: the plan of an approved request has changed, or approvers lost their rights."""
    request, now, window = decided.request, deps.clock.now(), decided.request.ask.change.scheduled_window
    asked = updated_approval(before, needed, policy=decided.policy, window=window)
    lost = _without_lost_approvals(request, needed)
    who_lost = (f"who may approve: {words.lost(lost.voters, step_up=needed.step_up)}",) if lost.voters else ()
    changed = (*_what_changed(request), *words.needs_more(before, asked), *who_lost) or (words.NEEDS_MORE,)
    by = deadlines.approve_by(window, now, asked.approve_within)
    since = deadlines.escalation_start(now, by, asked.approve_within)
    waiting = lost.request.move(
        Stage.WAITING,
        approval=replace(asked, approve_by=by),
        escalation=request.escalation.restart(since) if request.escalation else None,
        changed_since=changed,
        approved_at=None,
        act_by=None,
    )
    void = event(lost.request, "approval.void", code="plan_changed", changed=list(changed))
    return Update(waiting, [void, *lost.events, *_limit_events(request, needed)], lost.messages)


def _what_changed(request: Request) -> tuple[str, ...]:
    target, change = request.target, request.ask.change
    if target.planned is None or target.before is None or target.layer is None:
        return ()
    return differences(plan_of(change, target.planned, target.layer), plan_of(change, target.before, target.layer))


def _evaluated(request: Request, decided: Decided) -> Event:
    return event(
        request,
        "policy.evaluated",
        decision=type(decided.decision).__name__,
        digest=request.target.digest,
        card=request.route.card_channel,
        told=list(request.route.told),
    )


def _limit_events(request: Request, answer: NeedsApproval) -> list[Event]:
    """Audit events for a limit that raises the approvals.

    Each is recorded once, however often the request is judged.
    """
    known = request.approval.raised if request.approval else ()
    beyond = [one for one in answer.raised if one.code == REACH and one.code not in {old.code for old in known}]
    return [event(request, "blast_radius.exceeded", outcome="denied", code=one.code, why=one.why) for one in beyond]


@dataclass(frozen=True, slots=True)
class _Lost:
    """A request without the approvals that were lost, and what is recorded and posted about them."""

    request: Request
    voters: tuple[Vote, ...] = ()
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()


def _without_lost_approvals(request: Request, answer: NeedsApproval) -> _Lost:
    """Remove approvals whose voters have lost their rights; whoever regains the rights votes anew."""
    gone = tuple(vote for vote in request.counted_votes if any(vote.voter.is_same_as(one) for one in answer.lost))
    if not gone:
        return _Lost(request)
    votes = tuple(
        replace(vote, tally=Tally.REFUSED, reason=_why_lost(vote, answer)[1]) if vote in gone else vote
        for vote in request.votes
    )
    left = replace(request, votes=votes)
    events = tuple(
        event(
            left, "approval.lost", outcome="denied", code=_why_lost(vote, answer)[0], actor=vote.voter, vote=vote.event
        )
        for vote in gone
    )
    note = words.lost_note(left, gone, step_up=answer.step_up)
    return _Lost(left, gone, events, (Message(MessageKind.NOTE, body=note),))


def _why_lost(vote: Vote, answer: NeedsApproval) -> tuple[str, str]:
    """Why a counted approval does not stand any more: a code for programs, and a sentence."""
    if answer.step_up and not vote.stepped_up:
        return STEP_UP_MISSING, CODE_MISSING
    return "may_not_approve", words.MAY_NOT_ANY_MORE
