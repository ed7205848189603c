"""Steer a rollout that is being carried out: its owner, approvers and people on call pause it, go on, or stop it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bot.core.audit.request_event import event
from bot.core.cards import rollout_news
from bot.core.policy.decide import may_steer
from bot.core.policy.model import Moment
from bot.core.requests import Followup, FollowupKind, Request, Rollout
from bot.core.rollout import steering
from bot.ports import Message, MessageKind
from bot.workflow.evaluate import gather_facts, raise_if_unknown
from bot.workflow.followups.record import grant_followup, refuse_followup
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Update

_EVENTS = {
    FollowupKind.PAUSE: "rollout.paused",
    FollowupKind.GO_ON: "rollout.continued",
    FollowupKind.STOP_HERE: "rollout.stopped",
}


def steer(deps: Deps, request: Request, followup: Followup) -> Update:
    """Do what the person wants, if the current policy lets them; the next turn of the rollout follows at once."""
    given = gather_facts(deps, request, Moment.VOTE, voter=followup.by)
    no = may_steer(given, deps.in_force.policy)
    raise_if_unknown(no)
    if no is not None:
        return refuse_followup(request, followup, no)
    now = deps.clock.now()
    change: dict[FollowupKind, Callable[[Rollout], Rollout]] = {
        FollowupKind.PAUSE: partial(steering.pause, by=followup.name, now=now),
        FollowupKind.GO_ON: steering.go_on,
        FollowupKind.STOP_HERE: partial(steering.stop, by=followup.name, now=now),
    }
    rollout = change[followup.kind](request.rollout or Rollout())
    steered = replace(grant_followup(request, followup), rollout=rollout, due_at=now)
    recorded = event(steered, _EVENTS[followup.kind], actor=followup.by)
    return Update(steered, [recorded], [Message(MessageKind.NOTE, body=rollout_news.steered(followup))])
