"""Decide about a planned rollout as a whole: its settings, its waves, its digest, and what the policy says of it."""

from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.cards.rollout import likeness as words
from bot.core.cards.rollout import reasons
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Moment
from bot.core.policy.rules.rollout import rollout_rules
from bot.core.requests import Request, Rollout, RolloutSettings, RolloutTarget, Stage, Verb
from bot.core.requests.plan import kind_digest
from bot.core.rollout.digest import rollout_digest, with_earlier_approvals
from bot.core.rollout.keep_active import stops_units, that_leaves_too_few
from bot.core.rollout.settings import for_undo, strictest
from bot.core.rollout.waves import hosts_of, in_waves
from bot.workflow.evaluate import evaluate, facts_of_targets, gather_facts
from bot.workflow.hosts.keep_active import count_active
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update
from bot.workflow.requests.results import Closing, Decided


def decide_about_all(deps: Deps, request: Request, rollout: Rollout) -> Decided | Closing:
    """Every target is planned or left out: divide the rest into waves, and let the policy decide."""
    planned = rollout.put(*(as_planned(deps, rollout, one) for one in rollout.planned))
    if not planned.planned:
        return Closing(request, Stage.REFUSED, words.nothing_planned(planned), "nothing_planned")
    planned = replace(planned, settings=_settings(deps, request, planned))
    if no := _too_few(deps, request, planned):
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


def _too_few(deps: Deps, request: Request, rollout: Rollout) -> str:
    """Why a plan is refused that would leave too few hosts that run a unit; empty if enough are left."""
    rules = rollout.settings.keep_active
    if not rules or not stops_units(request.ask.change):
        return ""
    wanted = [(one.host, one.unit) for one in rollout.planned]
    counts = count_active(deps, rules, wanted, user=request.ask.change.user)
    found = that_leaves_too_few(counts, rollout.planned)
    return reasons.would_leave_too_few(*found) if found else ""


def as_planned(deps: Deps, rollout: Rollout, target: RolloutTarget) -> RolloutTarget:
    """The target with its plan, in which the other units of the rollout on its host are left out."""
    beside = tuple(str(one.unit) for one in rollout.planned if one.host == target.host and one is not target)

    def planned(request: Request) -> tuple[Request, list[Event]]:
        seen, change = request.target.before, replace(request.ask.change, beside=beside)
        if seen is None or change == request.ask.change:
            return request, []
        return with_plan(replace(request, ask=replace(request.ask, change=change)), seen), []

    request = update(deps, target.request_id, planned)
    seen, change = request.target.before, request.ask.change
    likeness, kind = (words.likeness(seen), "") if seen else ("", "")
    if seen and change.hold:
        kind = kind_digest(change, seen, request.target.layer)
    return replace(target, digest=request.target.digest, likeness=likeness, kind=kind)
