"""Reevaluate a waiting request under the current policy and calendar.

Another policy may make the requirements stricter, and never easier; a freeze comes and goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards import voting as words
from bot.core.policy.model import Allow, Decision, Moment, NeedsApproval, Refuse
from bot.core.policy.requirements import is_outdated, updated_approval, with_original_requirements
from bot.core.requests import Request, Stage, Tally, Vote, deadlines
from bot.errors import Unverified, UsageError
from bot.ports import Claim, Message, MessageKind
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.people.membership import with_names
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import end, limit_events, refuse
from bot.workflow.requests.lineage import find_related, with_all_hosts

log = structlog.get_logger()


def reevaluate(deps: Deps, request: Request, *, claim: Claim) -> Request:
    """Decide again if the policy was replaced since people were asked, or a freeze or window begins or ends.

    If people cannot be verified now, it is tried again soon; no vote counts less meanwhile.
    """
    policy, now = deps.in_force.policy.digest, deps.clock.now()
    is_open = request.approval is not None and now < request.approval.approve_by
    if request.stage is not Stage.WAITING or not is_open or not is_outdated(request, policy=policy, now=now):
        return request
    judged = with_original_requirements(request, policy=policy)
    related = find_related(deps, judged)
    judged = with_all_hosts(judged, related)
    try:
        answer = evaluate(deps, gather_facts(deps, judged, Moment.VOTE, related=related))
    except UsageError as error:
        return end(deps, request, Stage.CANCELLED, words.replaced_policy(str(error)), code="unknown_host", claim=claim)
    except Unverified as error:
        log.warning("request not reevaluated", request=request.id, why=str(error))
        return _again_soon(deps, judged, claim=claim)
    if isinstance(answer, Refuse) and request.approval and request.approval.policy != policy:
        answer = replace(answer, reason=words.replaced_policy(answer.reason))
    evaluated = event(judged, "policy.evaluated", decision=type(answer).__name__, digest=judged.target.digest)
    return apply_decision(deps, judged, answer, Effects([evaluated]), claim=claim)


def _again_soon(deps: Deps, judged: Request, *, claim: Claim) -> Request:
    """Retry soon. A timer in the past would make the request due at once, for ever."""
    soon = deps.clock.now() + timedelta(seconds=deps.timings.not_verified)
    if judged.approval is None or judged.approval.calendar_changes_at is None:
        return judged
    later = replace(judged, approval=replace(judged.approval, calendar_changes_at=soon))
    return deps.store.save(later, claim=claim, urgent=False)


@dataclass(frozen=True, slots=True)
class Effects:
    """The events and messages that are saved along with a decision."""

    events: Sequence[Event] = ()
    messages: Sequence[Message] = ()


def apply_decision(deps: Deps, request: Request, answer: Decision, told: Effects, *, claim: Claim) -> Request:
    """Apply a decision to a waiting request: end it, approve it, or update its requirements."""
    match answer:
        case Refuse():
            return refuse(deps, deps.store.save(request, events=told.events, claim=claim), answer, claim=claim)
        case Allow() if request.approval is not None:
            approved = deadlines.approve(request, answer.because, deps.clock.now(), request.approval.good_for)
            events = [*told.events, event(request, "approval.quorum")]
            return deps.store.save(approved, events=events, claim=claim)
        case NeedsApproval() if request.approval is not None:
            window, answer = request.ask.change.scheduled_window, with_names(deps, answer)
            asked = updated_approval(request.approval, answer, policy=deps.in_force.policy.digest, window=window)
            lost = without_lost_approvals(replace(request, approval=asked), answer)
            return deps.store.save(
                lost.request,
                events=[*told.events, *lost.events, *limit_events(request, answer)],
                messages=[*told.messages, *lost.messages],
                claim=claim,
            )
        case _:
            return deps.store.save(request, events=told.events, messages=told.messages, claim=claim)


@dataclass(frozen=True, slots=True)
class LostApprovals:
    """A request without the approvals that were lost, and what is recorded and posted about them."""

    request: Request
    voters: tuple[Vote, ...] = ()
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()


def without_lost_approvals(request: Request, decision: Decision) -> LostApprovals:
    """Remove approvals whose voters have lost their rights; whoever regains the rights votes anew."""
    lost = decision.lost if isinstance(decision, NeedsApproval) else ()
    gone = tuple(vote for vote in request.counted_votes if any(vote.voter.is_same_as(one) for one in lost))
    if not gone:
        return LostApprovals(request)
    votes = tuple(
        replace(vote, tally=Tally.REFUSED, reason=words.MAY_NOT_ANY_MORE) if vote in gone else vote
        for vote in request.votes
    )
    found = LostApprovals(replace(request, votes=votes), gone)
    body = words.lost_note(found.request, gone)
    events = tuple(
        event(found.request, "approval.lost", outcome="denied", code="may_not_approve", actor=vote.voter)
        for vote in gone
    )
    return replace(found, events=events, messages=(Message(MessageKind.NOTE, body=body),))
