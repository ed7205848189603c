"""Rollouts: each target is judged by itself, the strictest answer counts for all, and their approval covers each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bot.core.policy.model import Allow, Decision, Facts, Moment, NeedsApproval, Policy, Refuse
from bot.core.policy.rules.approval import WITH_CODE, is_covered, is_covered_now
from bot.core.policy.rules.break_glass import objection
from bot.core.policy.rules.permission import as_mentions, matching, not_known, requester_may_ask
from bot.core.requests import Hold, Request, RolloutRule, Stage, TargetStatus, Verb

WITH_ITS_ROLLOUT = "approved with its rollout"
FORBIDDEN = "forbidden"


def each_target(facts: Facts) -> Iterator[tuple[str, Facts]]:
    """The facts for one target after the other, by its name: the people of the rollout, and what was seen of it."""
    whole = facts.request
    for one in facts.targets:
        change = replace(whole.ask.change, host=one.host.name, unit=one.request.ask.change.unit)
        target = replace(one.request.target, digest=whole.target.digest)
        view = replace(whole, ask=replace(whole.ask, change=change, selection=None), target=target)
        of_target = replace(facts, host=one.host, request=view, targets=(), snapshot=target.before)
        yield f"{change.unit} on {one.host.name}", replace(of_target, own_mask=one.own_mask or facts.own_mask)


def rollout_rules(facts: Facts, policy: Policy) -> tuple[RolloutRule, ...]:
    """What every rule that covers one of the targets says of rollouts, each once, in the order of the policy file."""
    covering = {rule.name for _, one in each_target(facts) for rule in matching(one, policy)}
    return tuple(rule.rollout for rule in policy.rules if rule.name in covering)


def strictest_target(answers: Sequence[tuple[str, Decision]], policy: Policy, *, is_one_act: bool = False) -> Decision:
    """What is refused for one target refuses that one alone; an explicit no of a rule, and a no to all, refuse all.

    What is one act for all targets, as a later end is, is refused for all if it is for one: no target is asked alone.
    Of answers that are equally strict, that of the rule counts that comes first in the policy file.
    """
    for name, answer in answers:
        if isinstance(answer, Refuse) and (is_one_act or answer.code == FORBIDDEN):
            return replace(answer, reason=f"{name}: {answer.reason}")
    asked = [(name, answer) for name, answer in answers if isinstance(answer, NeedsApproval)]
    if asked:
        return _differing_approvers(asked) or _strictest([answer for _, answer in asked], _place_in(policy))
    allowed = [answer for _, answer in answers if isinstance(answer, Allow)]
    return min(allowed, key=_place_in(policy)) if allowed else answers[0][1]


def _place_in(policy: Policy) -> Callable[[Allow | NeedsApproval], tuple[int, str]]:
    """Where the rule of an answer stands in the policy file; what no rule of the file allowed comes last."""
    places = {rule.name: number for number, rule in enumerate(policy.rules)}
    return lambda answer: (places.get(answer.rule, len(places)), answer.rule)


def _differing_approvers(asked: Sequence[tuple[str, NeedsApproval]]) -> Refuse | None:
    """People approve once, so the approvers must be the same for every target."""
    (one, first), *others = asked
    for name, other in others:
        if ({*first.groups}, first.distinct) != ({*other.groups}, other.distinct):
            why = f"{as_mentions(first.groups)} approves {one}, and {as_mentions(other.groups)} approves {name}."
            return Refuse("approvers_differ", why, "Ask for one rollout per set of approvers.")
    return None


def _strictest(answers: Sequence[NeedsApproval], place: Callable[[NeedsApproval], tuple[int, str]]) -> NeedsApproval:
    """The most approvals, console access and a step-up if any target needs them, and the calendar's soonest change."""
    turns = [answer.calendar_changes_at for answer in answers if answer.calendar_changes_at]
    guarded = min((answer.guarded for answer in answers if answer.guarded), default="")
    strictest = min(answers, key=lambda answer: (-answer.need, *place(answer)))
    step_up = any(answer.step_up for answer in answers)
    because = strictest.because + WITH_CODE * (step_up and not strictest.step_up)
    return replace(
        strictest, because=because, guarded=guarded, step_up=step_up, calendar_changes_at=min(turns, default=None)
    )


def approved_with_its_rollout(facts: Facts, policy: Policy) -> Allow | Refuse | None:
    """A target whose plan is the approved one may run, if its rollout has all approvals that the policy asks for now.

    Otherwise the policy answers for this target as for any request, and its approvers are asked again. A hold that is
    in force goes to further hosts, until it is lifted; what somebody let through by break-glass went to no others.
    """
    whole, request = facts.rollout, facts.request
    if whole is None or whole.rollout is None or facts.moment is not Moment.ACT:
        return None
    goes_on = whole.stage is Stage.DONE and whole.hold is not None
    if not goes_on and whole.stage is not Stage.RUNNING:
        return Refuse("rollout_is_over", "Its rollout is over, or its hold was lifted in the meantime.")
    planned = whole.rollout.of_request(request.id)
    if planned is None or planned.status not in (TargetStatus.STARTED, TargetStatus.UNKNOWN):
        return None
    if not goes_on and planned.wave > whole.rollout.wave:  # whoever began it, its wave has not come
        return None
    if planned.digest != request.target.digest or not matching(facts, policy):
        return None
    is_free_undo = request.ask.change.verb is Verb.UNMASK and whole.approval is None
    if goes_on:  # for as long as a hold stands, those who approved it may change their groups
        return Allow(WITH_ITS_ROLLOUT, whole.because) if is_covered(whole, facts, policy) else None
    if not is_free_undo and (no := requester_may_ask(facts, policy)):
        return no
    if is_free_undo or _is_alone_still(whole, facts, policy):
        return Allow(WITH_ITS_ROLLOUT, whole.because)
    is_covered_still = is_covered_now(whole, facts.rollout_approvers, facts, policy)
    return Allow(WITH_ITS_ROLLOUT, whole.because) if is_covered_still else None


def _is_alone_still(whole: Request, facts: Facts, policy: Policy) -> bool:
    """Whether somebody used break-glass for the rollout, and may do so for this target now."""
    who, request = facts.rollout_break_glass, replace(facts.request, break_glass=whole.break_glass)
    return who is not None and objection(who, replace(facts, request=request), policy) is None


def voter_may_steer(facts: Facts, policy: Policy) -> Refuse | None:
    """The owner, approvers, owners of its hold and people on call pause it, stop it, and let it go on. None means yes.

    `facts.voter` is whoever wants to.
    """
    who, whole = facts.voter, facts.request
    if who is None or who.id.key in _took_part(whole) or not who.groups.isdisjoint(policy.undo_by):
        return None
    approvers = (*(whole.approval.groups if whole.approval else ()), *_owners(whole.approved_hold))
    if not who.groups.isdisjoint(approvers):
        return None
    groups = (*policy.undo_by, *approvers)
    return not_known(groups, facts) or Refuse(
        "may_not_steer",
        "Only its owner, those who may approve it, and people on call can do that.",
        f"{as_mentions(groups)} may." if groups else "",
    )


def _owners(hold: Hold | None) -> tuple[str, ...]:
    return (hold.owners,) if hold else ()


def _took_part(whole: Request) -> set[tuple[str, str]]:
    return {whole.ask.requester.key, whole.owner.key, *(vote.voter.key for vote in whole.counted_votes)}
