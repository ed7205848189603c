"""Requests that nobody could approve: said at once, with the reason and what would mend it."""

from bot.core.question import Facts, Moment, Policy, Refuse, Rule
from bot.core.quorum import approvers_by_key, reached
from bot.core.rules import glass
from bot.core.rules.approval import approvals, demand, is_a_requester
from bot.core.rules.permission import approvers_of, not_known


def enough_people_could_approve(facts: Facts, policy: Policy) -> Refuse | None:
    """A dead end is said at once, not after everybody has waited for nothing. Who is not known might approve."""
    if facts.moment not in (Moment.ASK, Moment.LOOKED) or _needs_nobody(facts, policy):
        return None
    wanted, rule = demand(facts, policy), demand(facts, policy).rule
    most = _most(facts, rule)
    if most >= wanted.need:
        return None
    if no := not_known(rule.approve, facts):
        return no
    if not all(group in facts.members for group in rule.approve):
        return None
    could = f"at most {most} could be reached" if rule.distinct else f"{most} could give one"
    why = f"Rule `{rule.name}` needs {approvals(wanted.need)} from {approvers_of(rule)}; {could} besides you."
    hint = "Add people to the group, or change the rule in policy.yaml"
    return Refuse("nobody_could_approve", why, f"{hint} (line {rule.line})." if rule.line else f"{hint}.")


def _needs_nobody(facts: Facts, policy: Policy) -> bool:
    """Who asks will go ahead alone."""
    return facts.request.ask.alone and glass.objection(facts.requester, facts, policy) is None


def _most(facts: Facts, rule: Rule) -> int:
    """How many approvals there could be without the requester."""
    members = {
        group: [person.key for person in facts.members.get(group, ()) if not is_a_requester(person, facts)]
        for group in rule.approve
    }
    return reached(approvers_by_key(members, rule.approve), rule.approve, distinct=rule.distinct)
