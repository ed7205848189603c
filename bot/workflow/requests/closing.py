"""Close a request that does not run, with the sentence that its requester gets."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.people.identity import Place
from bot.core.policy.model import NeedsApproval, Refuse
from bot.core.policy.rules.calendar_and_limits import REACH
from bot.core.requests import Request, Stage, deadlines
from bot.ports import Claim, Message, MessageKind
from bot.workflow.process.deps import Deps


def end(deps: Deps, request: Request, stage: Stage, because: str, *, code: str, claim: Claim | None = None) -> Request:
    """Move a request into a final stage, for a reason that people are told."""
    finished = request.move(stage, because=because, finished_at=deps.clock.now(), due_at=None)
    return deps.store.save(
        finished,
        events=[event(request, f"request.{stage}", outcome="denied", code=code, because=because)],
        messages=_last_words(request, because),
        claim=claim,
    )


def _last_words(request: Request, because: str) -> list[Message]:
    """The requester alone is told if nobody else knows of the request.

    One by the bot itself has no requester to tell.
    """
    if request.stage is not Stage.ASKED:
        return end_messages(request)
    return [] if request.ask.by_itself else [to_requester(request, because)]


def end_messages(request: Request) -> list[Message]:
    """The messages at the end of a request: to the card's channel, to whoever was told of it, and to its owner."""
    told = [Message(MessageKind.LINE, place=Place(channel)) for channel in request.route.told]
    # the command line shows it, and the bot itself reads nothing
    nobody = request.ask.place.is_shell or request.ask.by_itself
    owner = [] if nobody else [Message(MessageKind.LINE, to=request.owner.user)]
    return [Message(MessageKind.LINE), *told, *owner]


def refuse(deps: Deps, request: Request, refusal: Refuse, *, claim: Claim | None = None) -> Request:
    """Refuse a request."""
    return end(deps, request, Stage.REFUSED, refusal.sentence, code=refusal.code, claim=claim)


def to_requester(request: Request, body: str) -> Message:
    """A message for the requester or current owner alone."""
    return Message(MessageKind.WHISPER, to=request.owner.user, body=body)


def limit_events(request: Request, answer: NeedsApproval) -> list[Event]:
    """Audit events for a limit that raises the approvals.

    Each is recorded once, however often the request is judged.
    """
    known = request.approval.raised if request.approval else ()
    beyond = [one for one in answer.raised if one.code == REACH and one.code not in {old.code for old in known}]
    return [event(request, "blast_radius.exceeded", outcome="denied", code=one.code, why=one.why) for one in beyond]


def back_to_waiting(
    deps: Deps,
    request: Request,
    changed: tuple[str, ...],
    *,
    events: Sequence[Event] = (),
    messages: Sequence[Message] = (),
    claim: Claim,
) -> Request:
    """Ask people anew: the plan has changed, or approvers lost their rights."""
    approval = request.approval
    if approval is None:
        return end(deps, request, Stage.CANCELLED, "; ".join(changed), code="plan_changed", claim=claim)
    now, within = deps.clock.now(), approval.approve_within
    by = deadlines.approve_by(request.ask.change.scheduled_window, now, within)
    waiting = request.move(
        Stage.WAITING,
        approval=replace(approval, approve_by=by),
        escalation=request.escalation.restart(deadlines.escalation_start(now, by, within))
        if request.escalation
        else None,
        changed_since=changed,
        approved_at=None,
        act_by=None,
    )
    void = event(request, "approval.void", code="plan_changed", changed=list(changed))
    return deps.store.save(waiting, events=[void, *events], messages=messages, claim=claim)
