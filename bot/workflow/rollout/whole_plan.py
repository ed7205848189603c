"""Decide about a planned rollout as a whole: its settings, its waves, its digest, and what the policy says of it."""

from collections.abc import Mapping
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.cards.rollout import reasons
from bot.core.cards.rollout import state_summary as words
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Moment
from bot.core.policy.rules.maskable import busy_service
from bot.core.policy.rules.rollout import rollout_rules
from bot.core.requests import Request, Rollout, RolloutSettings, RolloutTarget, Stage, TargetStatus, Verb
from bot.core.requests.plan import kind_digest
from bot.core.rollout.digest import rollout_digest, with_earlier_approvals
from bot.core.rollout.keep_active import stops_units
from bot.core.rollout.settings import for_undo, strictest
from bot.core.rollout.wave_sizes import hosts_of, in_waves
from bot.workflow.evaluate import evaluate, facts_of_targets, gather_facts
from bot.workflow.hosts.keep_active import why_too_few
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update
from bot.workflow.requests.results import Closing, Decided
from bot.workflow.rollout.target_progress import real_names


def decide_about_all(deps: Deps, request: Request, rollout: Rollout) -> Decided | Closing:
    """Every target is planned or left out: divide the rest into waves, and let the policy decide.

    Raises `NotRecorded`.
    """
    names = real_names(deps, rollout, hosts_of(rollout.targets))
    rollout = _without_busy_sockets(deps, request, _each_once(rollout, names), names)
    planned = rollout.put(*(as_planned(deps, rollout, one, names) for one in rollout.planned))
    if not planned.planned:
        return Closing(request, Stage.REFUSED, words.nothing_planned(planned), "nothing_planned")
    planned = replace(planned, settings=_settings(deps, request, planned))
    if no := why_too_few(deps, planned.settings.keep_active, planned.planned, request.ask.change):
        return Closing(request, Stage.REFUSED, no, "too_few_active")
    planned = replace(planned, targets=in_waves(planned.targets, planned.settings.waves))
    digest = rollout_digest(request.ask.change, planned)
    whole = replace(request, rollout=planned).on_target(digest=digest)
    if request.ask.repeats:
        whole = with_earlier_approvals(whole, deps.store.get(request.ask.repeats), deps.clock.now())
    given = gather_facts(deps, whole, Moment.LOOKED)
    return Decided(given.request, evaluate(deps, given), deps.in_force.policy.digest)


def _settings(deps: Deps, request: Request, planned: Rollout) -> RolloutSettings:
    """The strictest of what the rules say that cover a planned target; waves that were asked for count instead."""
    rules = rollout_rules(facts_of_targets(deps, replace(request, rollout=planned)), deps.in_force.policy)
    settings = strictest(rules, hosts=len(hosts_of(planned.targets)), targets=len(planned.planned))
    if request.ask.selection and request.ask.selection.in_order:
        settings = replace(settings, in_parallel=1)
    if request.ask.change.verb is Verb.UNMASK:
        return for_undo(settings)
    waves = request.ask.selection.waves if request.ask.selection else ()
    return replace(settings, waves=waves or settings.waves)


def _each_once(rollout: Rollout, names: Mapping[str, str]) -> Rollout:
    """A unit that people named twice, by its name and by an alias, is one target."""
    seen, again = set[tuple[str, str]](), list[RolloutTarget]()
    for one in rollout.planned:
        name = (one.host, names.get(one.request_id, str(one.unit)))
        if name in seen:
            again.append(replace(one, status=TargetStatus.LEFT_OUT, note=reasons.named_twice(name[1])))
        seen.add(name)
    return rollout.put(*again)


def _without_busy_sockets(deps: Deps, request: Request, rollout: Rollout, names: Mapping[str, str]) -> Rollout:
    """A socket whose service runs goes with that service: it is left out where the service is."""
    sockets = [one for one in rollout.planned if one.unit.type == "socket"]
    if not sockets or not stops_units(request.ask.change):
        return rollout
    left_out = list[RolloutTarget]()
    for one in sockets:
        seen = deps.store.get(one.request_id).target.before
        service = busy_service(seen) if seen else ""
        if service and service not in beside_it(rollout, one, names):
            left_out.append(replace(one, status=TargetStatus.LEFT_OUT, note=reasons.goes_with(service)))
    return rollout.put(*left_out)


def beside_it(rollout: Rollout, target: RolloutTarget, names: Mapping[str, str]) -> tuple[str, ...]:
    """The other units that the rollout changes on the target's host, by their real names: people may type others."""
    others = (one for one in rollout.planned if one.host == target.host and one.unit != target.unit)
    return tuple(names.get(one.request_id, str(one.unit)) for one in others)


def as_planned(deps: Deps, rollout: Rollout, target: RolloutTarget, names: Mapping[str, str]) -> RolloutTarget:
    """The target with its plan, in which the other units of the rollout on its host are left out."""
    beside = beside_it(rollout, target, names)

    def planned(request: Request) -> tuple[Request, list[Event]]:
        seen, change = request.target.before, replace(request.ask.change, beside=beside)
        if seen is None or change == request.ask.change:
            return request, []
        return with_plan(replace(request, ask=replace(request.ask, change=change)), seen), []

    request = update(deps, target.request_id, planned)
    seen, change = request.target.before, request.ask.change
    state_summary, kind = (words.state_summary(seen), "") if seen else ("", "")
    if seen and change.hold:
        kind = kind_digest(change, seen, request.target.layer)
    return replace(target, digest=request.target.digest, state_summary=state_summary, kind=kind)
