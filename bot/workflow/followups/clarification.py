"""Questions before an approval, and their answers: the request keeps waiting, and its card shows both."""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards import clarification as words
from bot.core.cards.followups import MAY_NOT_DECIDE
from bot.core.policy.model import Moment, Refuse
from bot.core.requests import Followup, Remark, Request
from bot.ports import Message, MessageKind
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.followups.record import grant_followup, refuse_followup
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Update


def ask_for_more(deps: Deps, request: Request, followup: Followup) -> Update:
    """Record an approver's question. The first question restarts the approval deadline."""
    answer = evaluate(deps, gather_facts(deps, request, Moment.VOTE, voter=followup.by))
    approval = request.approval
    if isinstance(answer, Refuse) or approval is None:
        no = answer if isinstance(answer, Refuse) else Refuse("may_not_approve", MAY_NOT_DECIDE)
        return refuse_followup(request, followup, no)
    now, is_first = deps.clock.now(), not request.remarks
    later = replace(approval, approve_by=now + approval.approve_within) if is_first else approval
    remark = Remark(followup.by, followup.name, followup.text, now)
    escalation = request.escalation.restart(now) if request.escalation and is_first else request.escalation
    asked = replace(
        grant_followup(request, followup), remarks=(*request.remarks, remark), approval=later, escalation=escalation
    )
    recorded = event(asked, "clarification.asked", actor=followup.by, question=followup.text, extended=is_first)
    told = Message(MessageKind.NOTE, body=words.asked(remark, later, is_first=is_first), mentions=(request.owner.user,))
    return Update(asked, [recorded], [told])


def answer(deps: Deps, request: Request, followup: Followup) -> Update:
    """Record the owner's answer."""
    question = request.open_question
    remark = Remark(followup.by, followup.name, followup.text, deps.clock.now(), is_answer=True)
    answered = replace(grant_followup(request, followup), remarks=(*request.remarks, remark))
    recorded = event(answered, "clarification.answered", actor=followup.by, answer=followup.text)
    mentions = (question.by.user,) if question else ()
    told = Message(MessageKind.NOTE, body=words.answered(followup), mentions=mentions)
    return Update(answered, [recorded], [told])
