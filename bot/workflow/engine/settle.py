"""Settle what stages return: the only place where a request moves on between two commands to its host."""

from bot.core.requests import Request, Stage
from bot.ports import Claim
from bot.workflow.lifecycle.act_on import act_on
from bot.workflow.lifecycle.finish import finish
from bot.workflow.lifecycle.not_believed import refuse_to_act
from bot.workflow.process.deps import Deps
from bot.workflow.requests.closing import close
from bot.workflow.requests.marks import note_late
from bot.workflow.requests.mask_inventory import watch_soon
from bot.workflow.requests.results import Closing, Decided, Ending, NotBelieved, Result, Stages, save


def settle_all(deps: Deps, claim: Claim, stages: Stages) -> Request:
    """Save the result of each stage before the next one begins; return the request as it is stored at the end."""
    try:
        result = next(stages)
        while True:
            result = stages.send(result if isinstance(result, Request) else settle(deps, claim, result))
    except StopIteration as end:
        request: Request = end.value
        return request


def settle(deps: Deps, claim: Claim, result: Result) -> Request:
    """Save what a stage returned, in one transaction; return the request as it is stored. Raises `Update.then`."""
    if isinstance(result, Decided):
        result = act_on(deps, result)
    elif isinstance(result, NotBelieved):
        result = refuse_to_act(deps, result)
    match result:
        case Request():
            return result
        case Closing():
            update = close(result, deps.clock.now())
        case Ending():
            update = finish(deps, result)
        case _:
            update = result
    stored = save(deps, update, claim=claim)
    if stored.ask.rollout and _has_moved(claim.request, stored):
        deps.store.make_due(stored.ask.rollout)
        if claim.request.target.unknown_since:
            note_late(deps, stored)
    if isinstance(result, Ending) and stored.target.sent:
        watch_soon(deps, stored.target.host)
    return stored


def _has_moved(before: Request, now: Request) -> bool:
    """Whether a target has news for its rollout, which looks again at once; it looks now and then in any case."""
    was, is_now = before.target, now.target
    is_lost = before.hold_state.loss is not now.hold_state.loss
    is_over_or_asked = before.stage is not now.stage and now.stage is not Stage.RUNNING  # it was begun by its rollout
    return is_lost or is_over_or_asked or (was.unknown_since is None) is not (is_now.unknown_since is None)
