"""How many approvals a change needs, who may give them, and whether they are there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bot.core.people.identity import Person, PersonId
from bot.core.people.quorum import count_approvals
from bot.core.policy.model import Allow, Decision, Facts, NeedsApproval, Policy, Refuse, Rule
from bot.core.policy.rules import calendar_and_limits
from bot.core.policy.rules.critical_units import reason_of
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.policy.rules.permission import approvers_of, as_mentions, matching, not_known
from bot.core.policy.rules.routing import routing_for
from bot.core.policy.rules.unit_names import find_listed, names_of
from bot.core.requests import Approval, ExtraApprovalReason, Request, Verb, Verdict

STEP_UP_MISSING = "step_up_missing"
WITH_CODE = ", each with a code from their authenticator"
_FEW = ("none", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class Requirements:
    """The requirements that must be met before a change may run."""

    rule: Rule
    need: int
    guarded: str  # why console access must be confirmed by an approver; or empty
    step_up: bool  # whether each approval needs a code from the approver's authenticator
    raised: tuple[ExtraApprovalReason, ...]  # why more approvals are needed than the rule asks for


def requirements_for(facts: Facts, policy: Policy) -> Requirements:
    """The requirements of the strictest matching rule: the highest `need`; among equals one with distinct groups.

    Whether the requester may ask under that rule does not matter: else a lenient rule would open what a strict one
    closes. Guarded units, freezes, closed windows and limits raise the need. The unmask of somebody else's mask always
    needs an approval. Any matching rule may ask for a step-up. An earlier policy's requirements are never lowered.
    """
    rules = matching(facts, policy)
    rule = max(rules, key=lambda rule: (rule.need, rule.distinct))
    guarded = guarded_because(facts, policy)
    unmasks = facts.request.ask.change.verb is Verb.UNMASK
    need = max(rule.need, policy.guarded_need if guarded else int(unmasks))
    found = calendar_and_limits.reasons(facts, policy)
    groups, need = calendar_and_limits.apply_reasons(rule, need, found)
    step_up, raised = any(rule.step_up for rule in rules), tuple(reason.raised for reason in found)
    wanted = Requirements(replace(rule, approve=groups), need, guarded, step_up, raised)
    return _as_before(wanted, facts.request.approval)


def _as_before(wanted: Requirements, asked: Approval | None) -> Requirements:
    """At least what an earlier policy asked for, where that can still be met."""
    if asked is None:
        return wanted
    need, rule = max(wanted.need, asked.at_least), wanted.rule
    is_distinct = rule.distinct or (asked.was_distinct and need <= len(rule.approve))
    step_up = wanted.step_up or asked.was_step_up
    return replace(wanted, need=need, rule=replace(rule, distinct=is_distinct), step_up=step_up)


def guarded_because(facts: Facts, policy: Policy) -> str:
    """The reason why a unit is guarded; an unmask of a critical unit needs as much as a guarded one."""
    units = policy.guarded
    if facts.request.ask.change.verb is Verb.UNMASK:
        units = (*policy.critical, *policy.guarded)
    found = find_listed(units, names_of(facts))
    return reason_of(found[1], facts) if found else ""


def voter_is_not_the_requester(facts: Facts, policy: Policy) -> Refuse | None:
    """The two-person rule itself. The requester may withdraw instead."""
    voter = facts.voter
    if voter is None or not is_a_requester(voter.id, facts, policy):
        return None
    if voter.id.is_same_as(facts.requester.id):
        hint = "You may withdraw it."
        return Refuse("self_approval", "You asked for this, so somebody else must approve or deny it.", hint)
    if any(voter.id.is_same_as(one) for one in requesters(facts)):
        return Refuse(
            "self_approval", "You owned this before it was handed over, so somebody else must approve or deny it."
        )
    return as_another_account(
        "Your other account asked for this or owned it, so somebody else must approve or deny it."
    )


def voter_has_not_voted_before(facts: Facts, policy: Policy) -> Refuse | None:
    """Two accounts of one person make one vote."""
    voter = facts.voter
    if voter is None:
        return None
    for vote in facts.request.counted_votes:
        if policy.same_person.are_one(vote.voter, voter.id) and not vote.voter.is_same_as(voter.id):
            return as_another_account(f"You approved this already, with your other account ({vote.voter_name}).")
    return None


def voter_has_stepped_up(facts: Facts, policy: Policy) -> Refuse | None:
    """Where the policy asks for a step-up, an approval without a code does not count. A denial needs none."""
    if facts.verdict is not Verdict.APPROVE or facts.stepped_up or not requirements_for(facts, policy).step_up:
        return None
    return Refuse(
        STEP_UP_MISSING, "Approving this needs a code from your authenticator.", "Approve it again, with a code."
    )


def as_another_account(why: str) -> Refuse:
    """Refuse what somebody did with another account already."""
    return Refuse("same_person", why, "policy.yaml lists both accounts as one person (`same_person`).")


def is_a_requester(person: PersonId, facts: Facts, policy: Policy) -> bool:
    """Whether somebody counts as requester, with any account: who asked, and everybody it was handed over to."""
    return any(policy.same_person.are_one(person, one) for one in requesters(facts))


def requesters(facts: Facts) -> tuple[PersonId, ...]:
    """Everybody who counts as requester; for one target of a rollout, those of the rollout too."""
    of_whole = facts.rollout.requesters if facts.rollout else ()
    return (*facts.request.requesters, *of_whole, facts.requester.id)


def voter_may_decide(facts: Facts, policy: Policy) -> Refuse | None:
    """Only those who may approve may deny, and nobody else may do either."""
    rule = requirements_for(facts, policy).rule
    if facts.voter is None or facts.voter.groups & set(rule.approve):
        return None
    if no := not_known(rule.approve, facts):
        return no
    may = f"{as_mentions(rule.approve)} may." if rule.approve else "Nobody may."
    return Refuse("may_not_approve", f"You may not approve or deny this (rule `{rule.name}`).", may)


def quorum(facts: Facts, policy: Policy) -> Decision:
    """The final check: enough people who are entitled now, each counted once, and never the requester."""
    wanted = requirements_for(facts, policy)
    rule = wanted.rule
    entitled = _entitled(facts.approvers, facts.request, wanted, facts, policy)
    others = _each_once(entitled, rule, policy)
    have = _made(others, rule)
    if have >= wanted.need:
        because = f"has the {approvals(wanted.need)} that it asks for" if wanted.need else "asks for none"
        return Allow(rule.name, f"rule {rule.name} {because}", routing_for(rule, facts))
    perhaps = [replace(one, groups=one.groups | frozenset(facts.unknown)) for one in others]
    no = not_known(rule.approve, facts)
    if no and _made(perhaps, rule) >= wanted.need:
        return no
    return NeedsApproval(
        rule=rule.name,
        because=f"rule {rule.name} needs {wanted.need} of {approvers_of(rule)}{WITH_CODE * wanted.step_up}",
        need=wanted.need,
        have=have,
        groups=rule.approve,
        approve_within=rule.approve_within,
        good_for=rule.good_for,
        guarded=wanted.guarded,
        distinct=rule.distinct,
        step_up=wanted.step_up,
        on_call=tuple(shift for group in rule.approve for shift in facts.shifts.get(group, ())),
        lost=tuple(one.id for one in facts.approvers if not _may_count(one, perhaps, rule)),
        routing=routing_for(rule, facts),
        raised=wanted.raised,
        calendar_changes_at=calendar_and_limits.calendar_changes_at(facts, policy),
        remind=rule.remind,
        escalate=rule.escalate,
    )


def is_covered(given: Request, facts: Facts, policy: Policy) -> bool:
    """Whether the approvals of another request cover everything that this one needs, by the rights of back then."""
    wanted = requirements_for(facts, policy)
    votes = [vote for vote in given.counted_votes if vote.stepped_up or not wanted.step_up]
    people = [Person(vote.voter, vote.voter_name, frozenset(vote.groups)) for vote in votes]
    return _is_enough(people, given, wanted, policy)


def is_covered_now(given: Request, people: Iterable[Person], facts: Facts, policy: Policy) -> bool:
    """Whether the approvals of another request cover everything that this one needs, by the rights of today.

    `people` are those who approved the other request, with the groups that they are in now.
    """
    wanted = requirements_for(facts, policy)
    return _is_enough(_entitled(people, given, wanted, facts, policy), given, wanted, policy)


def _entitled(
    people: Iterable[Person], given: Request, wanted: Requirements, facts: Facts, policy: Policy
) -> Iterator[Person]:
    """Those of the people who are ours and not the requester, and gave a code where that is asked for now.

    `given` is the request that they approved.
    """
    stepped_up = [vote.voter for vote in given.counted_votes if vote.stepped_up]
    for one in people:
        gave_a_code = any(one.id.is_same_as(other) for other in stepped_up)
        if (
            is_one_of_us(one, policy)
            and not is_a_requester(one.id, facts, policy)
            and (gave_a_code or not wanted.step_up)
        ):
            yield one


def _is_enough(people: Iterable[Person], given: Request, wanted: Requirements, policy: Policy) -> bool:
    """Whether these people, who approved the given request, make up what is wanted, with a word on the console."""
    has_word = not wanted.guarded or any(vote.console_works for vote in given.counted_votes)
    return has_word and _made(_each_once(people, wanted.rule, policy), wanted.rule) >= wanted.need


def _made(people: Iterable[Person], rule: Rule) -> int:
    """How many of the rule's approvals these people provide."""
    return count_approvals({one.id.key: one.groups for one in people}, rule.approve, distinct=rule.distinct)


def _may_count(person: Person, perhaps: Iterable[Person], rule: Rule) -> bool:
    return any(one.id == person.id and not one.groups.isdisjoint(rule.approve) for one in perhaps)


def _each_once(people: Iterable[Person], rule: Rule, policy: Policy) -> list[Person]:
    """Each person once: with the first account that may approve, if they have several."""
    known: list[Person] = []
    for person in sorted(people, key=lambda one: one.groups.isdisjoint(rule.approve)):
        if not any(policy.same_person.are_one(person.id, one.id) for one in known):
            known.append(person)
    return known


def _few(number: int) -> str:
    return _FEW[number] if number < len(_FEW) else str(number)


def approvals(number: int) -> str:
    """`two approvals`."""
    return f"{_few(number)} approval" + "s" * (number != 1)
