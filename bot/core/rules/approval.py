"""How many have to agree, who may, and whether they have."""

from dataclasses import dataclass

from bot.core.changes import Verb
from bot.core.people import Person, PersonId
from bot.core.question import Allow, Facts, Moment, NeedsApproval, Policy, Refuse, Rule
from bot.core.rules.critical import reason_of
from bot.core.rules.identity import is_one_of_us
from bot.core.rules.names import listed, names_of
from bot.core.rules.permission import at_signs, matching

_FEW = ("none", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class Demand:
    """What has to be met before a change may run."""

    rule: Rule
    need: int
    guarded: str  # why more care is needed, and an approver's word that console access works; or empty


def demand(facts: Facts, policy: Policy) -> Demand:
    """The strictest matching rule's: the highest `need`; among equals the one that stands first in the file.

    Whether the requester may ask under that rule does not matter: else a lenient rule would open what a strict one
    closes. Guarded units raise the need; a mask of somebody else is never taken off without an approval.
    """
    rule = max(matching(facts, policy), key=lambda rule: rule.need)
    guarded = guarded_because(facts, policy)
    unmasks = facts.request.ask.change.verb is Verb.UNMASK
    return Demand(rule, max(rule.need, policy.guarded_need if guarded else int(unmasks)), guarded)


def guarded_because(facts: Facts, policy: Policy) -> str:
    """The reason that makes a unit guarded; to take a mask off a critical unit asks for as much."""
    units = policy.guarded
    if facts.request.ask.change.verb is Verb.UNMASK:
        units = (*policy.critical, *policy.guarded)
    found = listed(units, names_of(facts))
    return reason_of(found[1], facts) if found else ""


def enough_people_could_approve(facts: Facts, policy: Policy) -> Refuse | None:
    """A dead end is said at once, not after everybody has waited for nothing. Groups that are not known pass."""
    if facts.moment not in (Moment.ASK, Moment.LOOKED):
        return None
    wanted = demand(facts, policy)
    if not all(group in facts.members for group in wanted.rule.approve):
        return None
    people = {person.key for group in wanted.rule.approve for person in facts.members[group]}
    others = len(people - {one.key for one in requesters(facts)})
    if others >= wanted.need:
        return None
    groups = at_signs(wanted.rule.approve) or "nobody"
    why = f"Rule `{wanted.rule.name}` needs {_plural(wanted.need)} from {groups}; {others} could give one besides you."
    hint = "Add people to the group, or change the rule in policy.yaml"
    return Refuse("nobody_could_approve", why, f"{hint} (line {wanted.rule.line})." if wanted.rule.line else f"{hint}.")


def voter_is_not_the_requester(facts: Facts, _policy: Policy) -> Refuse | None:
    """The two-person rule itself. Who asked may withdraw instead."""
    if facts.voter is None or not is_a_requester(facts.voter.id, facts):
        return None
    if facts.voter.id.key == facts.requester.id.key:
        hint = "You may withdraw it."
        return Refuse("self_approval", "You asked for this, so somebody else has to decide.", hint)
    return Refuse("self_approval", "This was yours before it was handed over, so somebody else has to decide.")


def is_a_requester(person: PersonId, facts: Facts) -> bool:
    """Whether somebody counts as the one who asked: whoever did, and whoever it was handed to."""
    return any(person.key == one.key for one in requesters(facts))


def requesters(facts: Facts) -> tuple[PersonId, ...]:
    """Everybody of whom that is true."""
    return (*facts.request.requesters, facts.requester.id)


def voter_may_decide(facts: Facts, policy: Policy) -> Refuse | None:
    """Who may approve may deny, and nobody else may do either."""
    rule = demand(facts, policy).rule
    if facts.voter is None or facts.voter.groups & set(rule.approve):
        return None
    may = f"{at_signs(rule.approve)} may." if rule.approve else "Nobody may."
    return Refuse("may_not_approve", f"You may not decide this (rule `{rule.name}`).", may)


def quorum(facts: Facts, policy: Policy) -> Allow | NeedsApproval:
    """The last word: enough of those who are entitled at this moment, each counted once, the requester never."""
    wanted = demand(facts, policy)
    rule = wanted.rule
    have = len({person.id.key for person in facts.approvers if _counts(person, rule, facts, policy)})
    if have >= wanted.need:
        because = f"it has the {_plural(wanted.need)} it needs" if wanted.need else "it needs no approval"
        return Allow(rule.name, f"{rule.name}: {because}")
    return NeedsApproval(
        rule=rule.name,
        because=f"{rule.name}: {_few(wanted.need)} of {at_signs(rule.approve)}",
        need=wanted.need,
        have=have,
        groups=rule.approve,
        decide_within=rule.decide_within,
        good_for=rule.good_for,
        guarded=wanted.guarded,
    )


def _counts(person: Person, rule: Rule, facts: Facts, policy: Policy) -> bool:
    entitled = person.groups & set(rule.approve) and is_one_of_us(person, policy)
    return bool(entitled) and not is_a_requester(person.id, facts)


def _few(number: int) -> str:
    return _FEW[number] if number < len(_FEW) else str(number)


def _plural(number: int) -> str:
    return f"{_few(number)} approval" + "s" * (number != 1)
