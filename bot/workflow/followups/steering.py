"""Steer a rollout: its owner, approvers and people on call pause it, go on, or stop it; a hold is tried again."""

from dataclasses import replace

from bot.core.audit.request_event import event
from bot.core.cards.rollout import notes
from bot.core.policy.decide import why_not_steer
from bot.core.policy.model import Moment
from bot.core.requests import Followup, FollowupKind, Request, Rollout
from bot.core.rollout import joining, steering
from bot.ports import Message, MessageKind
from bot.workflow.evaluate import gather_facts, raise_if_unknown
from bot.workflow.followups.record import grant_followup, refuse_followup
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Update


def steer(deps: Deps, request: Request, followup: Followup) -> Update:
    """Do what the person wants, if the current policy lets them; the next turn of the rollout follows at once."""
    given = gather_facts(deps, request, Moment.VOTE, voter=followup.by)
    no = why_not_steer(given, deps.in_force.policy)
    raise_if_unknown(no)
    if no is not None:
        return refuse_followup(request, followup, no)
    now, rollout, granted = deps.clock.now(), request.rollout or Rollout(), grant_followup(request, followup)
    match followup.kind:
        case FollowupKind.PAUSE:
            steered = replace(granted, rollout=steering.pause(rollout, followup.name, now), due_at=now)
            recorded = event(steered, "rollout.paused", actor=followup.by)
            body = notes.paused(steered, rollout, followup.name)
        case FollowupKind.GO_ON if joining.is_over_and_held(request):
            steered = replace(granted, rollout=joining.tried_at_once(rollout, now))
            recorded = event(steered, "rollout.continued", actor=followup.by)
            body = notes.tries_again(rollout, followup.name)
        case FollowupKind.GO_ON:
            steered = replace(granted, rollout=steering.go_on(rollout), due_at=now)
            recorded = event(steered, "rollout.continued", actor=followup.by)
            body = notes.continued(steered, rollout, followup.name)
        case _:
            steered = replace(granted, rollout=steering.stop(rollout, followup.name, now), due_at=now)
            recorded = event(steered, "rollout.stopped", actor=followup.by)
            body = notes.stopped(steered, rollout, followup.name)
    return Update(steered, [recorded], [Message(MessageKind.NOTE, body=body)])
