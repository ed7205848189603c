"""Count votes: each voter is verified when their vote is counted, and quorum approves the request exactly once."""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards import voting as words
from bot.core.cards.request_status import describe_decision
from bot.core.policy.model import Facts, Moment, NeedsApproval, Refuse
from bot.core.requests import Request, Stage, Tally, Verdict, Vote
from bot.errors import NotYet, Unverified, UsageError
from bot.ports import Claim, Message, MessageKind
from bot.workflow.approval.reevaluate import Effects, apply_decision, reevaluate
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import end, end_messages


def count_votes(deps: Deps, claim: Claim) -> Request:
    """Count recorded votes in their order; then end the request if its deadline has passed.

    If the policy was replaced meanwhile, the request is reevaluated first.
    """
    request = reevaluate(deps, claim.request, claim=claim)
    for vote in [vote for vote in request.votes if vote.tally is Tally.RECORDED]:
        if request.stage is Stage.WAITING:
            request = _count(deps, request, vote, claim=claim)
        else:
            request = _refuse_vote(deps, request, vote, Refuse("too_late", describe_decision(request)), claim=claim)
    approval = request.approval
    if request.stage is Stage.WAITING and approval and deps.clock.now() >= approval.approve_by:
        why = words.not_in_time(request, approval)
        return end(deps, request, Stage.TIMED_OUT, why, code="not_approved_in_time", claim=claim)
    if request.stage is Stage.WAITING and request.version == claim.request.version and _looks_enough(request):
        return _decide_again(deps, request, Effects(), claim=claim)
    return request


def _looks_enough(request: Request) -> bool:
    """Whether there are as many counted approvals as needed, but their voters could not be verified then."""
    return request.approval is not None and request.have >= request.approval.need


def has_recorded_votes(request: Request) -> bool:
    """Whether there are votes that are not counted yet."""
    return any(vote.tally is Tally.RECORDED for vote in request.votes)


def _count(deps: Deps, request: Request, vote: Vote, *, claim: Claim) -> Request:
    try:
        given = replace(gather_facts(deps, request, Moment.VOTE, voter=vote.voter), verdict=vote.verdict)
        answer = evaluate(deps, given)
    except Unverified as error:
        no = Refuse("identity_unverified", str(error), words.TRY_AGAIN)
        return _refuse_vote(deps, request, vote, no, claim=claim)
    except UsageError as error:  # hosts.yaml has changed since people were asked
        return _refuse_vote(deps, request, vote, Refuse("unknown_host", str(error)), claim=claim)
    if isinstance(answer, Refuse):
        return _refuse_vote(deps, request, vote, answer, claim=claim)
    asked = answer.groups if isinstance(answer, NeedsApproval) else ()
    stands_for = tuple(group for group in asked if given.voter and group in given.voter.groups)
    counted = request.with_vote(replace(vote, groups=stands_for, tally=Tally.COUNTED))
    voted = event(
        counted, "approval.voted", actor=vote.voter, verdict=str(vote.verdict), console_works=vote.console_works
    )
    if vote.verdict is Verdict.DENY:
        denied = counted.move(Stage.DENIED, because=words.denied(vote), finished_at=deps.clock.now(), due_at=None)
        return deps.store.save(denied, events=[voted], messages=end_messages(denied), claim=claim)
    told = Effects([voted], _of_no_use(counted, vote) if counted.have == request.have else [])
    with_vote = replace(
        given, request=counted, voter=None, verdict=None, approvers=(*given.approvers, *filter(None, [given.voter]))
    )
    return _decide_again(deps, counted, told, given=with_vote, claim=claim)


def _of_no_use(counted: Request, vote: Vote) -> list[Message]:
    """Tell the voter that their approval does not help, because it had to come from another group."""
    if counted.approval is None or not counted.approval.distinct:
        return []
    body = words.missing_groups([group for group in counted.approval.groups if group not in counted.votes_by_group])
    return [Message(MessageKind.WHISPER, to=vote.voter.user, body=body, place=vote.place)]


def _decide_again(deps: Deps, request: Request, told: Effects, *, given: Facts | None = None, claim: Claim) -> Request:
    """Decide again with the vote among the given facts, and save the vote and the decision together."""
    try:
        answer = evaluate(deps, given or gather_facts(deps, request, Moment.VOTE))
    except Unverified as error:  # no refusal of the request: it is decided again a little later
        counted = request
        if told.events:
            counted = deps.store.save(request, events=told.events, messages=told.messages, claim=claim)
        if _looks_enough(counted):
            raise NotYet(str(error), again_in=deps.timings.not_verified) from error
        return counted
    return apply_decision(deps, request, answer, told, claim=claim)


def _refuse_vote(deps: Deps, request: Request, vote: Vote, refusal: Refuse, *, claim: Claim) -> Request:
    refused = request.with_vote(replace(vote, reason=refusal.sentence, tally=Tally.REFUSED))
    told = Message(MessageKind.WHISPER, to=vote.voter.user, body=refusal.sentence, place=vote.place)
    said_no = event(request, "approval.refused", outcome="denied", code=refusal.code, actor=vote.voter)
    return deps.store.save(refused, events=[said_no], messages=[told], claim=claim)
