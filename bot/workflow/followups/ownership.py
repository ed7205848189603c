"""Hand a request over to a new owner, who must be somebody who could have asked for it."""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards.ownership import handed_over
from bot.core.policy.decide import why_not_own
from bot.core.policy.model import Moment, Refuse
from bot.core.requests import Followup, Request, Transfer
from bot.ports import Message, MessageKind
from bot.workflow.evaluate import gather_facts, raise_if_unknown
from bot.workflow.followups.record import grant_followup, refuse_followup
from bot.workflow.people.membership import person
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Update


def hand_over(deps: Deps, request: Request, followup: Followup) -> Update:
    """Set the new owner, if the policy allows it, and tell them."""
    if followup.to is None:
        return refuse_followup(request, followup, Refuse("nobody_named", "Choose somebody."))
    new = person(deps, followup.to)
    given = replace(gather_facts(deps, request, Moment.VOTE), requester=new)
    no = why_not_own(given, deps.in_force.policy)
    raise_if_unknown(no)
    if no:
        return refuse_followup(request, followup, no)
    transfer = Transfer(new.id, new.name, followup.by, followup.name, deps.clock.now())
    handed = replace(grant_followup(request, followup), transfers=(*request.transfers, transfer))
    recorded = event(handed, "request.handed_over", actor=followup.by, to=new.id.user)
    told = Message(MessageKind.NOTE, body=handed_over(handed, transfer), mentions=(transfer.to.user,))
    return Update(handed, [recorded], [told])
