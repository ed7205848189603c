"""Plan a rollout: every target is looked at, side by side, before anyone is asked.

Each target becomes a request of its own, which is checked like any other and then waits for its wave. Their keys find
them again after a crash. A few are checked at a time, so that a large rollout delays nobody's request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards.request_status import already_open
from bot.core.cards.rollout import reasons
from bot.core.policy.decide import why_not_steer
from bot.core.policy.model import Moment, Refuse
from bot.core.requests import Ask, Request, Rollout, RolloutTarget, Stage, TargetStatus, Verb
from bot.core.rollout.next_wave import failed_with_its_set
from bot.core.rollout.steering import stop
from bot.core.rollout.targets import ask_of, in_undo_order, triggers_of, with_triggers
from bot.core.systemd.units import UnitName
from bot.errors import NotYet, Unverified, UsageError
from bot.ports import Query
from bot.workflow.evaluate import evaluate, gather_facts, raise_if_unknown, targets_of_rollout
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update
from bot.workflow.requests.lineage import newest_request
from bot.workflow.requests.lookup import with_requester_name
from bot.workflow.requests.results import Closing, Stages, Update
from bot.workflow.requests.submit import submit
from bot.workflow.rollout.target_list import expand
from bot.workflow.rollout.target_progress import NotRecorded, as_now, real_names
from bot.workflow.rollout.whole_plan import beside_it, decide_about_all

_AT_ONCE = 4  # targets that are checked at a time: a few of the workers
_AGAIN_IN = 2.0  # seconds; every target that is planned wakes its rollout anyway
_UNDER_WAY = frozenset({Stage.ASKED, Stage.APPROVED, Stage.RUNNING})
_NOT_RECORDED = 30.0  # seconds; only the operators can help


def plan_rollout(deps: Deps, request: Request) -> Stages:
    """Have each target checked; once all are, let the policy decide about the whole. Raises `NotYet`."""
    try:
        if request.rollout is None:
            request = yield _begin(deps, request)
        if request.rollout is None or request.stage is not Stage.ASKED:
            return request
        known, _ = as_now(deps, request)
        rollout = _with_triggers(deps, request, _ask_for_more(deps, request, known))
        if no := _too_many(deps, request, rollout):
            return (yield Closing(request, Stage.REFUSED, no, "too_many_targets"))
        if rollout.with_status(TargetStatus.PLANNING):
            later = NotYet("Its targets are being checked.", again_in=_AGAIN_IN)
            return (yield Update(replace(request, rollout=rollout), then=later))
        return (yield decide_about_all(deps, request, rollout))
    except NotRecorded as error:
        raise NotYet(str(error), again_in=_NOT_RECORDED) from error
    except Unverified as error:
        return (yield Closing(request, Stage.REFUSED, str(error), "identity_unverified"))
    except UsageError as error:
        return (yield Closing(request, Stage.REFUSED, str(error), "unknown_host"))


def _begin(deps: Deps, request: Request) -> Update | Closing:
    """Name the targets, and let the policy judge what it can judge without a look."""
    request = with_requester_name(deps, request)
    if other := _earlier_undo(deps, request):
        return Closing(request, Stage.REFUSED, already_open(other), "already_open")
    if no := _stop_what_it_undoes(deps, request):
        return Closing(request, Stage.REFUSED, no.sentence, no.code)
    named = replace(request, rollout=Rollout(targets=tuple(_targets(deps, request))))
    first = evaluate(deps, gather_facts(deps, named, Moment.ASK))
    if isinstance(first, Refuse):
        return Closing(request, Stage.REFUSED, first.sentence, first.code)
    return Update(named)


def _earlier_undo(deps: Deps, request: Request) -> Request | None:
    """An undo of the same rollout that somebody else asked for before: it goes on, and does the whole."""
    if not request.ask.undoes:
        return None
    whole = newest_request(deps, request.ask.undoes)
    found = deps.store.find(Query(host=whole.target.host, unit=whole.target.unit, stages=_UNDER_WAY, rollout=""))
    mine = (request.asked_at, request.id)
    return next((one for one in found if one.ask.undoes == whole.id and (one.asked_at, one.id) < mine), None)


def _stop_what_it_undoes(deps: Deps, request: Request) -> Refuse | None:
    """The undo of a rollout that is still carried out stops it first, if its requester may. Raises `NotYet`."""
    undone = newest_request(deps, request.ask.undoes) if request.ask.undoes else None
    if undone is None or undone.rollout is None or undone.stage is not Stage.RUNNING:
        return None
    if not request.ask.by_itself and not undone.rollout.stopped_at:
        no = why_not_steer(gather_facts(deps, undone, Moment.VOTE, voter=request.ask.requester), deps.in_force.policy)
        raise_if_unknown(no)
        if no:
            return no
    by, now = request.ask.requester_name, deps.clock.now()

    def stopped(whole: Request) -> tuple[Request, list[Event]]:
        if whole.rollout is None or whole.rollout.stopped_at or whole.stage is not Stage.RUNNING:
            return whole, []
        halted = replace(whole, rollout=stop(whole.rollout, by, now), due_at=now)
        return halted, [event(halted, "rollout.stopped", actor=request.ask.requester, undo=request.id)]

    update(deps, undone.id, stopped)
    raise NotYet("What it undoes is still being carried out.", again_in=deps.timings.host_busy)


def _targets(deps: Deps, request: Request) -> Iterator[RolloutTarget]:
    """The targets in their order: as selected, or for an undo, what the rollout made, the last first."""
    undone = newest_request(deps, request.ask.undoes) if request.ask.undoes else None
    failed = deps.store.get(request.ask.repeats).rollout if request.ask.repeats else None
    if failed:
        yield from (RolloutTarget(one.host, one.unit) for one in failed_with_its_set(failed))
    elif undone and undone.rollout:
        made = [one for one in undone.rollout.targets if one.can_be_undone]
        yield from (RolloutTarget(one.host, one.unit) for one in in_undo_order(made))
    elif request.ask.selection:
        yield from (RolloutTarget(host, unit) for host, unit in expand(deps, request.ask.selection))


def _too_many(deps: Deps, request: Request, rollout: Rollout) -> str:
    """Why it is refused with all that triggers its units; an undo of what was made is never too much."""
    most, selection = deps.in_force.policy.limits.targets, request.ask.selection
    if selection is None or not selection.with_triggers or request.ask.undoes or len(rollout.targets) <= most:
        return ""
    return reasons.too_many_with_triggers(rollout, most)


def _ask_for_more(deps: Deps, request: Request, rollout: Rollout) -> Rollout:
    """Have some more targets checked, as many as may be checked at a time."""
    unplanned = rollout.with_status(TargetStatus.PLANNING)
    asked = sum(1 for one in unplanned if one.request_id)
    more = [one for one in unplanned if not one.request_id][: max(0, _AT_ONCE - asked)]
    undone = _masks_to_undo(deps, request, more) if more else {}
    names = real_names(deps, rollout, {one.host for one in more})
    asks = [(one, _ask_of(request, beside_it(rollout, one, names), one, undone)) for one in more]
    return rollout.put(*(replace(one, request_id=_ask(deps, request, one, ask).id) for one, ask in asks))


def _ask_of(
    request: Request, beside: tuple[str, ...], target: RolloutTarget, undone: Mapping[tuple[str, str], Request]
) -> Ask:
    """What is asked for on one target. Its host is looked at knowing what else the rollout changes there."""
    ask, mask = ask_of(request, target), undone.get((target.host, str(target.unit)))
    if mask:
        return replace(ask, change=mask.ask.change.as_undo(mask.target.unit), undoes=mask.id)
    return replace(ask, change=replace(ask.change, beside=beside))


def _ask(deps: Deps, request: Request, target: RolloutTarget, ask: Ask) -> Request:
    return submit(deps, ask, key=f"target:{request.id}:{target.host}:{target.unit}")


def _masks_to_undo(deps: Deps, request: Request, wanted: Sequence[RolloutTarget]) -> dict[tuple[str, str], Request]:
    """For an undo: what these targets were masked by."""
    undone = newest_request(deps, request.ask.undoes) if request.ask.undoes else None
    targets = undone.rollout.targets if undone and undone.rollout else ()
    names = {(one.host, str(one.unit)) for one in wanted}
    made = ((one, (one.host, str(one.unit))) for one in targets if one.can_be_undone)
    return {name: newest_request(deps, one.request_id) for one, name in made if name in names}


def _with_triggers(deps: Deps, request: Request, rollout: Rollout) -> Rollout:
    """What triggers a unit comes before it on its host; in a set, also what was not named."""
    selection = request.ask.selection
    if selection is None or rollout.with_status(TargetStatus.PLANNING):
        return rollout
    is_set = selection.with_triggers
    if request.ask.change.verb is Verb.UNMASK or (_is_one_each(rollout) and not is_set):
        return rollout
    seen = targets_of_rollout(deps, request.id)

    def triggers(one: RolloutTarget) -> Sequence[UnitName]:
        looked = seen.get(one.request_id) if one.status is TargetStatus.READY else None
        return triggers_of(looked) if looked else ()

    return with_triggers(rollout, triggers, also_new=is_set)


def _is_one_each(rollout: Rollout) -> bool:
    """Whether no host has several units."""
    return len(rollout.targets) == len({one.host for one in rollout.targets})
