"""Asking for more before a vote, and the answer: the request keeps waiting, and both stand on its card."""

from dataclasses import replace

from bot.core.policy.model import Moment, Refuse
from bot.core.requests import Approval, Remark, Request, Wish
from bot.core.time.human_time import spoken
from bot.ports import Claim, Message, MessageKind
from bot.workflow.evaluate import judge
from bot.workflow.followups.record import granted, refuse_wish
from bot.workflow.process.deps import Parts
from bot.workflow.requests.closing import event


def ask_for_more(parts: Parts, claim: Claim, request: Request, wish: Wish) -> Request:
    """A question of somebody who may vote. The first one gives everybody the whole time to decide once more."""
    answer = judge(parts, request, Moment.VOTE, voter=wish.by)
    approval = request.approval
    if isinstance(answer, Refuse) or approval is None:
        no = answer if isinstance(answer, Refuse) else Refuse("may_not_approve", "You may not decide this.")
        return refuse_wish(parts, claim, request, wish, no)
    now, is_first = parts.clock.now(), not request.talk
    later = replace(approval, decide_by=now + approval.decide_within) if is_first else approval
    remark = Remark(wish.by, wish.name, wish.text, now)
    nudges = request.nudges.anew(now) if request.nudges and is_first else request.nudges
    asked = replace(granted(request, wish), talk=(*request.talk, remark), approval=later, nudges=nudges)
    recorded = event(asked, "approval.asked_for_more", actor=wish.by, question=wish.text, extended=is_first)
    told = Message(MessageKind.NOTE, body=_asked(remark, later, is_first=is_first), mentions=(request.owner.user,))
    return parts.store.save(asked, events=[recorded], messages=[told], claim=claim)


def answer(parts: Parts, claim: Claim, request: Request, wish: Wish) -> Request:
    """The answer of whose request it is."""
    question = request.open_question
    remark = Remark(wish.by, wish.name, wish.text, parts.clock.now(), is_answer=True)
    answered = replace(granted(request, wish), talk=(*request.talk, remark))
    recorded = event(answered, "approval.answered", actor=wish.by, answer=wish.text)
    mentions = (question.by.user,) if question else ()
    told = Message(MessageKind.NOTE, body=f"{wish.name} answers: {wish.text}", mentions=mentions)
    return parts.store.save(answered, events=[recorded], messages=[told], claim=claim)


def _asked(remark: Remark, approval: Approval, *, is_first: bool) -> str:
    anew = f"The time to decide begins anew, once: {spoken(approval.decide_within)}."
    clock = anew if is_first else "The time to decide goes on."
    return f"{remark.name} asks for more: {remark.text}\nDetails on the card has the button for an answer. {clock}"
