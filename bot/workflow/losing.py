"""Approvals of people who may not approve any more: they stop counting, and everybody is told."""

from dataclasses import dataclass, replace

from bot.core.audit import Event
from bot.core.changes import Request, Tally, Vote
from bot.core.policy import Decision, NeedsApproval
from bot.ports import Message, MessageKind
from bot.workflow.ending import event

_WHY = "May not approve this any more."


@dataclass(frozen=True, slots=True)
class Lost:
    """A request without the approvals that were lost, and what is to be recorded and said about them."""

    request: Request
    voters: tuple[Vote, ...] = ()
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def sentence(self) -> str:
        """Whose approval it was."""
        names = " and ".join(vote.voter_name or vote.voter.user for vote in self.voters)
        return f"{names} may not approve this any more"


def without_lost(request: Request, decision: Decision) -> Lost:
    """What the decision says of rights read a moment ago, written into the request; whoever regains them votes anew."""
    lost = decision.lost if isinstance(decision, NeedsApproval) else ()
    gone = tuple(vote for vote in request.counted if any(vote.voter.is_same_as(one) for one in lost))
    if not gone:
        return Lost(request)
    votes = tuple(replace(vote, tally=Tally.REFUSED, reason=_WHY) if vote in gone else vote for vote in request.votes)
    found = Lost(replace(request, votes=votes), gone)
    body = f"{found.sentence}, so that approval does not count. {_how_it_stands(found.request)}"
    events = tuple(
        event(found.request, "approval.lost", outcome="denied", code="may_not_approve", actor=vote.voter)
        for vote in gone
    )
    return replace(found, events=events, messages=(Message(MessageKind.NOTE, body=body),))


def _how_it_stands(request: Request) -> str:
    need = request.approval.need if request.approval else 0
    return f"It has {request.have} of the {need} it needs."
