"""Count votes: each voter is verified when their vote is counted, and quorum approves the request exactly once."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.audit.evidence import COUNTED, NOT_SEALED
from bot.core.audit.request_event import event
from bot.core.cards import voting as words
from bot.core.cards.forgery import NOT_CONFIRMED
from bot.core.cards.request_status import describe_decision
from bot.core.policy.model import Allow, Facts, Moment, NeedsApproval, Refuse
from bot.core.requests import Request, Stage, Tally, Verdict, Vote
from bot.errors import NotYet, Unverified, UsageError
from bot.ports import Message, MessageKind
from bot.workflow.approval.reevaluate import reevaluate
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.health.operator_notices import report_forgery
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import end_messages
from bot.workflow.requests.evidence import why_vote_is_not_believed
from bot.workflow.requests.results import Closing, Decided, Result, Stages, Update


def count_votes(deps: Deps, request: Request) -> Stages:
    """Count recorded votes in their order, under the current policy; then see whether the request goes on waiting."""
    version = request.version
    request = yield reevaluate(deps, request)
    for vote in request.uncounted_votes:
        request = yield _count(deps, request, vote)
    return (yield _close(deps, request, is_unchanged=request.version == version))


def _count(deps: Deps, request: Request, vote: Vote) -> Update | Decided:
    """Verify the voter, count the vote, and decide with it; or refuse the vote. Raises `NotYet`."""
    judged = _judge(deps, request, vote)
    if isinstance(judged, Refuse):
        refused = request.with_vote(replace(vote, reason=judged.sentence, tally=Tally.REFUSED))
        said_no = event(
            request, "approval.refused", outcome="denied", code=judged.code, actor=vote.voter, vote=vote.event
        )
        told = Message(MessageKind.WHISPER, to=vote.voter.user, body=judged.sentence, place=vote.place)
        return Update(refused, [said_no], [told])
    given, answer = judged
    asked = answer.groups if isinstance(answer, NeedsApproval) else ()
    stands_for = tuple(group for group in asked if given.voter and group in given.voter.groups)
    counted = request.with_vote(replace(vote, groups=stands_for, tally=Tally.COUNTED))
    voted = event(counted, COUNTED, actor=vote.voter, vote=vote.event, **vote.on_record)
    if vote.verdict is Verdict.DENY:
        denied = counted.move(Stage.DENIED, because=words.denied(vote), finished_at=deps.clock.now(), due_at=None)
        return Update(denied, [voted], end_messages(denied))
    with_vote = replace(
        given, request=counted, voter=None, verdict=None, approvers=(*given.approvers, *filter(None, [given.voter]))
    )
    return _decide_with(deps, with_vote, [voted], _of_no_use(counted, vote) if counted.have == request.have else [])


def _judge(deps: Deps, request: Request, vote: Vote) -> tuple[Facts, Allow | NeedsApproval] | Refuse:
    """Whether the vote counts: the facts with its voter and what the policy says of them, or why it does not."""
    if request.stage is not Stage.WAITING:
        return Refuse("too_late", describe_decision(request))
    if why := why_vote_is_not_believed(deps, request, vote):
        report_forgery(deps, f"a vote by {vote.voter.user} on request {request.id}", why, request_id=request.id)
        return Refuse(NOT_SEALED, NOT_CONFIRMED)
    try:
        known = gather_facts(deps, request, Moment.VOTE, voter=vote.voter)
        given = replace(known, verdict=vote.verdict, stepped_up=vote.stepped_up)
        answer = evaluate(deps, given)
    except Unverified as error:
        return Refuse("identity_unverified", str(error), words.TRY_AGAIN)
    except UsageError as error:  # hosts.yaml has changed since people were asked
        return Refuse("unknown_host", str(error))
    return answer if isinstance(answer, Refuse) else (given, answer)


def _decide_with(deps: Deps, given: Facts, events: Sequence[Event], messages: Sequence[Message]) -> Update | Decided:
    """Decide again with the vote among the facts; the vote and the decision are saved together."""
    counted = given.request
    try:
        return Decided(counted, evaluate(deps, given), deps.in_force.policy.digest, events, messages)
    except Unverified as error:  # no refusal of the request: it is decided again a little later
        later = NotYet(str(error), again_in=deps.timings.not_verified) if _looks_enough(counted) else None
        return Update(counted, events, messages, then=later)


def _close(deps: Deps, request: Request, *, is_unchanged: bool) -> Result:
    """End the request if its deadline has passed; decide again if it has enough approvals and nothing changed.

    Its voters could not be verified when the last of them approved. Raises `NotYet` while they still cannot be.
    """
    approval = request.approval
    if request.stage is not Stage.WAITING or approval is None:
        return request
    if deps.clock.now() >= approval.approve_by:
        return Closing(request, Stage.TIMED_OUT, words.not_in_time(request, approval), "not_approved_in_time")
    if not is_unchanged or not _looks_enough(request):
        return request
    try:
        decision = evaluate(deps, gather_facts(deps, request, Moment.VOTE))
    except Unverified as error:
        raise NotYet(str(error), again_in=deps.timings.not_verified) from error
    return Decided(request, decision, deps.in_force.policy.digest)


def _looks_enough(request: Request) -> bool:
    """Whether there are as many counted approvals as needed, but their voters could not be verified then."""
    return request.approval is not None and request.have >= request.approval.need


def _of_no_use(counted: Request, vote: Vote) -> list[Message]:
    """Tell the voter that their approval does not help, because it had to come from another group."""
    if counted.approval is None or not counted.approval.distinct:
        return []
    body = words.missing_groups([group for group in counted.approval.groups if group not in counted.votes_by_group])
    return [Message(MessageKind.WHISPER, to=vote.voter.user, body=body, place=vote.place)]
