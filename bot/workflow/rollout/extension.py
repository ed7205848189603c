"""Extend or keep a rollout as a whole: nothing is done on any host, so none is looked at."""

from dataclasses import replace

from bot.core.policy.model import Allow, Moment
from bot.core.requests import NewKind, Request, Rollout, Stage
from bot.core.rollout.digest import rollout_digest
from bot.errors import NotSealed, NotYet, Unverified, UsageError
from bot.ports import Query
from bot.workflow.evaluate import evaluate, evaluate_again, gather_facts
from bot.workflow.lifecycle.start import extend
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lineage import newest_request
from bot.workflow.requests.marks import mark_held
from bot.workflow.requests.results import Closing, Decided, Ending


def ask_for_extension(deps: Deps, request: Request) -> Decided | Closing:
    """Let the policy judge the later end for every target, as it was when the rollout was approved."""
    whole = newest_request(deps, request.ask.extends)
    rollout = replace(whole.rollout or Rollout(), is_closed=True)  # it has no targets of its own to close
    asked = replace(request, rollout=rollout).on_target(digest=rollout_digest(request.ask.change, rollout))
    try:
        given = gather_facts(deps, asked, Moment.LOOKED)
        return Decided(given.request, evaluate(deps, given), deps.in_force.policy.digest)
    except Unverified as error:
        return Closing(request, Stage.REFUSED, str(error), "identity_unverified")
    except UsageError as error:
        return Closing(request, Stage.REFUSED, str(error), "unknown_host")
    except NotSealed as error:
        return Closing(request, Stage.REFUSED, str(error), "not_sealed")


def extend_rollout(deps: Deps, request: Request) -> Decided | Ending | Closing:
    """Write the approved end into the rollout, if the policy still allows it. Raises `NotYet`, also during an undo."""
    whole = newest_request(deps, request.ask.extends)
    running = Query(host=whole.target.host, unit=whole.target.unit, stages=frozenset({Stage.RUNNING}), rollout="")
    if any(one.ask.undoes == whole.id for one in deps.store.find(running)):
        raise NotYet("All of it is being undone.", again_in=deps.timings.host_busy)
    try:
        request, decision = evaluate_again(deps, request)
    except UsageError as error:
        return Closing(request, Stage.CANCELLED, str(error), "too_late")
    if not isinstance(decision, Allow):
        return Decided(request, decision, deps.in_force.policy.digest)
    ended = extend(deps, replace(request, rollout=None), decision)  # its targets were facts for the policy only
    if isinstance(ended, Ending) and request.ask.new_kind is NewKind.HELD:
        mark_held(deps, deps.store.get(whole.id), by=request.id)
    return ended
