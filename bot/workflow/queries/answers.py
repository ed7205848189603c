"""Answer questions without changing anything: what is masked, what would happen, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from bot.core.cards import answers, details, fallback, mask_inventory, slow_unit
from bot.core.cards.blocks import Text
from bot.core.cards.handover import handover
from bot.core.hosts.inventory import Host
from bot.core.input.grammar import Question, QuestionKind
from bot.core.people.identity import Caller
from bot.core.policy.decide import decide, explain, kill_switch_groups, why_not_look, why_not_see_all
from bot.core.policy.home import rights_of
from bot.core.policy.mask_layer import with_plan
from bot.core.policy.model import Decision, Explanation, Moment, NeedsApproval, Refuse
from bot.core.policy.rules.approvers import Approvers, who_could_approve
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.requests import Ask, Change, KeepActive, Request, RolloutTarget, Target, Verb
from bot.core.rollout.settings import all_kept
from bot.core.systemd.units import Snapshot, UnitName
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.evaluate import gather_facts
from bot.workflow.followups.available import offered_actions
from bot.workflow.force_stop import mask_that_waits
from bot.workflow.hosts.keep_active import kept_by, why_too_few
from bot.workflow.hosts.look import look
from bot.workflow.people.membership import person, with_names
from bot.workflow.people.routing import place_asked
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import render_or_fall_back
from bot.workflow.requests.find_mask import live_masks_in_manager, real_unit_name
from bot.workflow.requests.kill_switch_state import with_kill_switch_note
from bot.workflow.requests.mask_inventory import read_mask_inventory
from bot.workflow.rollout.target_list import expand_hosts

log = structlog.get_logger()
_ENOUGH = "enough hosts keep it active"  # the check that counts, beside those of the policy
_ANY_UNIT = UnitName("any.service")  # a question that names no unit is judged by channel and person alone


def answer(deps: Deps, question: Question, who: Caller) -> Text:
    """The answer, for those who may look. If there is none, raises a `MaskbotError` whose text is the answer."""
    if question.word is QuestionKind.HELP:
        return _help(deps, question, who)
    asked, hosts = about(deps, question, who), asked_hosts(deps, question)
    match question.word:
        case QuestionKind.STATUS:
            return with_kill_switch_note(deps, _status(deps, question))
        case QuestionKind.PLAN:
            evaluated = evaluate_change(deps, asked)
            return answers.plan(evaluated.request, evaluated.decision, deps.clock.now())
        case QuestionKind.WHY:
            return why(deps, evaluate_change(deps, asked))
        case QuestionKind.LIST:
            return with_kill_switch_note(
                deps, mask_inventory.listing(read_mask_inventory(deps, *hosts), host=question.host)
            )
        case QuestionKind.HANDOVER:
            return with_kill_switch_note(deps, handover(read_mask_inventory(deps)))
        case QuestionKind.HISTORY:
            whole = None if hosts else ""  # on a host, what a rollout did there
            found = deps.store.find(Query(hosts=hosts, rollout=whole, limit=20))
            return answers.history(found, deps.clock.now())


def _help(deps: Deps, question: Question, who: Caller) -> Text:
    """The rights of the person. Outside allowed channels the help says so, but strangers learn nothing."""
    me = person(deps, who.id)
    not_here = ""
    try:
        about(deps, question, who)
    except UsageError as error:
        if not is_one_of_us(me, deps.in_force.policy):
            raise
        not_here = str(error)
    rights = [*rights_of(me, deps.in_force.policy)]
    uses_kill_switch = not me.groups.isdisjoint(kill_switch_groups(deps.in_force.policy))
    return answers.help_text(
        deps.in_force.inventory.names, rights, uses_kill_switch=uses_kill_switch, not_here=not_here
    )


def about(deps: Deps, question: Question, who: Caller) -> Request:
    """The subject of a question, as an unrecorded request. Raises `MaskbotError` for those who may not look.

    Of many targets it is the first one: whether somebody may look depends on person and place alone.
    """
    host = next(iter(asked_hosts(deps, question)), _any_host(deps))
    change = question.change or Change(Verb.MASK, host, question.unit or _ANY_UNIT)
    if question.selection:
        change = replace(change, host=host)
    asked = _hypothetical(deps, change, who)
    if no := why_not_look(gather_facts(deps, asked, Moment.ASK), deps.in_force.policy):
        raise UsageError(f"{no.reason} {no.hint}".strip())
    return asked


def asked_hosts(deps: Deps, question: Question) -> tuple[str, ...]:
    """The hosts that a question is about; none if it is about all of them. Raises `UsageError` if a group has none."""
    if question.selection:
        return expand_hosts(deps, question.selection)
    return (question.host,) if question.host else ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An unrecorded request, its decision, the reasons, and who could approve it."""

    request: Request
    decision: Decision
    explained: tuple[Explanation, ...]
    approvers: tuple[Approvers, ...]
    waits: Request | None  # our mask, while it waits for the unit's own stop
    kept: tuple[KeepActive, ...]  # of which groups enough hosts must go on running the unit


def evaluate_change(deps: Deps, asked: Request) -> Evaluation:
    """Decide about a change as for a real request, with reasons. Nothing is recorded and nobody is asked."""
    evaluated = evaluate_target(deps, asked)
    if no := why_refused_together(deps, [evaluated]):
        explained = (
            *(replace(one, decides=False) for one in evaluated.explained),
            Explanation(_ENOUGH, applies=False, why=no, decides=True),
        )
        return replace(evaluated, decision=Refuse("too_few_active", no), explained=explained)
    return evaluated


def why_refused_together(deps: Deps, evaluated: Sequence[Evaluation]) -> str:
    """Why no request for all of these is let through, each of which is: too few hosts would be left that run a unit."""
    wanted = [one for one in evaluated if not isinstance(one.decision, Refuse)]
    planned = [RolloutTarget(one.request.target.host, one.request.target.unit) for one in wanted]
    rules = all_kept(rule for one in wanted for rule in one.kept)
    return why_too_few(deps, rules, planned, wanted[0].request.ask.change) if rules else ""


def evaluate_target(deps: Deps, asked: Request) -> Evaluation:
    """Decide about one of many targets; `why_refused_together` decides about all of them."""
    change, policy = asked.ask.change, deps.in_force.policy
    host, unit = deps.in_force.inventory.host(change.host), real_unit_name(live_masks_in_manager(deps, change), change)
    seen = look(deps, host, unit, full=True, user=change.user)
    request = with_plan(asked, seen)
    given = gather_facts(deps, request, Moment.LOOKED, snapshot=seen)
    answer = decide(given, policy)
    if isinstance(answer, NeedsApproval):
        answer = with_names(deps, answer)
    waits = mask_that_waits(deps, change)
    kept = tuple(kept_by(policy, given))
    return Evaluation(request, answer, explain(given, policy), who_could_approve(given, policy), waits, kept)


def why(deps: Deps, evaluated: Evaluation) -> Text:
    """The decision with its reasons, and our mask of the unit if it waits for the stop."""
    told = slow_unit.status(evaluated.waits, deps.clock.now()) if evaluated.waits else None
    return answers.why(evaluated.request, evaluated.decision, evaluated.explained, evaluated.approvers, stopping=told)


def _hypothetical(deps: Deps, change: Change, who: Caller) -> Request:
    waits = mask_that_waits(deps, change) if change.force else None
    ask = Ask(change, who.id, who.name, who.place, forces=waits.id if waits else "")
    return Request("plan", "", ask, deps.clock.now(), Target(change.host, change.unit))


def _any_host(deps: Deps) -> str:
    return deps.in_force.inventory.names[0]


def _status(deps: Deps, question: Question) -> Text:
    """The state of a unit, or the masks of hosts."""
    if question.unit is None:
        known = read_mask_inventory(deps, *asked_hosts(deps, question))
        return mask_inventory.host_status(known, question.host)
    host = deps.in_force.inventory.host(question.host)
    seen, masks = unit_status(deps, host, question.unit)
    return answers.status(host.name, seen, masks, deps.clock.now())


def unit_status(deps: Deps, host: Host, asked: UnitName) -> tuple[Snapshot, list[Request]]:
    """A full look at a unit, and our masks of it: those in place, and the one that waits for the unit's own stop.

    A mask is found by any name that its unit had.
    """
    change = Change(Verb.MASK, host.name, asked)
    unit = real_unit_name(live_masks_in_manager(deps, change), change)
    live = deps.store.find(Query(host=host.name, unit=unit, live_masks=True))
    waits = mask_that_waits(deps, Change(Verb.MASK, host.name, unit))
    return look(deps, host, unit, full=True), [*live, *([waits] if waits else [])]


def all_about(deps: Deps, request: Request, who: Caller) -> Text:
    """All there is about a request, for those who may see it. Raises `MaskbotError`."""
    check_may_see(deps, request, who)
    offered = () if who.place.is_home else offered_actions(deps, request, who.id)  # no form can be opened from there
    return render_or_fall_back(
        deps,
        "details",
        lambda: details(request, now=deps.clock.now(), offers=offered),
        lambda: fallback.card(request, offered),
    )


def check_may_see(deps: Deps, request: Request, who: Caller) -> None:
    """Check that somebody may see everything about a request, where they are. Raises `MaskbotError`."""
    where = replace(who, place=place_asked(deps, request)) if who.place.is_home else who
    asked = _hypothetical(deps, request.ask.change, where)
    if request.rollout and request.rollout.planned:  # somebody sees a rollout who may see each of its targets
        asked = replace(asked, id=request.id, rollout=request.rollout)
        asked = replace(asked, ask=replace(asked.ask, selection=request.ask.selection, extends=request.ask.extends))
    elif request.ask.selection:  # nobody knows its hosts yet, so there is nothing of them to be seen
        asked = replace(asked, ask=replace(asked.ask, change=replace(request.ask.change, host=_any_host(deps))))
    given = gather_facts(deps, asked, Moment.ASK)
    if no := why_not_see_all(given, deps.in_force.policy):
        raise UsageError(f"{no.reason} {no.hint}".strip())
