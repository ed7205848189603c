"""Permissions from the policy file: which rules match, whether one forbids, and who may ask."""

from collections.abc import Iterable

from bot.core.policy.calendar_and_limits import Freeze
from bot.core.policy.model import Facts, Policy, Refuse, Rule
from bot.core.policy.rules.unit_names import matches, names_of
from bot.core.requests import Hold, Verb

NOT_KNOWN, NOT_KNOWN_YET = "group_unknown", "group_unknown_yet"


def no_rule_forbids(facts: Facts, policy: Policy) -> Refuse | None:
    """An explicit refusal wins over everything, even over an undo if it names that verb."""
    rule = next((rule for rule in matching(facts, policy) if rule.forbid), None)
    return Refuse("forbidden", f"Rule `{rule.name}` forbids it: {rule.forbid.rstrip('.')}.") if rule else None


def some_rule_matches(facts: Facts, policy: Policy) -> Refuse | None:
    """A change that no rule covers is not allowed."""
    if matching(facts, policy):
        return None
    change, host = facts.request.ask.change, facts.host
    why = f"No rule of the policy covers {change.verb} of {change.unit} on {host.name} ({host.environment})."
    return Refuse("no_rule", why, "`/mask why` shows each rule and why it does not match.")


def requester_may_ask(facts: Facts, policy: Policy) -> Refuse | None:
    """The requester needs one matching rule that lets them ask; the strictest rule sets the number of approvals.

    Only its owners may lift a hold, whatever the rules say; see `owners_lift_it` in `hold`.
    """
    if hold_to_lift(facts):
        return None
    rules = matching(facts, policy)
    may = list(dict.fromkeys(group for rule in rules for group in sorted(rule.ask)))
    if facts.requester.groups & set(may):
        return None
    if no := not_known(may, facts):
        return no
    change, names = facts.request.ask.change, as_mentions(may)
    why = f"You may not ask for {change.verb}s on {facts.host.environment} hosts (rule `{rules[0].name}`)."
    return Refuse("may_not_ask", why, f"{names} may." if names else "Nobody may.")


def requester_could_take_part(facts: Facts, policy: Policy) -> Refuse | None:
    """Only those who may ask for or approve a change see all of its details."""
    groups = [group for rule in matching(facts, policy) for group in (*sorted(rule.ask), *rule.approve)]
    if not facts.requester.groups.isdisjoint(groups):
        return None
    why = "Only those who may ask for or approve this change can see its details."
    return not_known(groups, facts) or Refuse("may_not_see", why)


def hold_to_lift(facts: Facts) -> Hold | None:
    """The hold that the request would lift."""
    is_unmask = facts.request.ask.change.verb is Verb.UNMASK
    return facts.own_mask.hold if is_unmask and facts.own_mask else None


def not_known(groups: Iterable[str], facts: Facts) -> Refuse | None:
    """The refusal where membership of these groups matters and is not known; it may be known later."""
    unknown = next((facts.unknown[group] for group in groups if group in facts.unknown), None)
    if unknown is None:
        return None
    return Refuse(NOT_KNOWN_YET if unknown.for_now else NOT_KNOWN, unknown.why)


def matching(facts: Facts, policy: Policy) -> tuple[Rule, ...]:
    """The rules of the policy file that match this change, in their order."""
    return tuple(rule for rule in policy.rules if not mismatch(rule, facts))


def mismatch(rule: Rule, facts: Facts) -> str:
    """Why a rule does not match this change; empty if it does. All conditions must match."""
    verb = facts.request.ask.change.verb
    if verb not in rule.verbs:
        return f"it is about {_any_of(rule.verbs)}, not {verb}"
    return outside_scope(rule, facts)


def outside_scope(scope: Rule | Freeze, facts: Facts) -> str:
    """Why host or unit is outside a rule's scope; empty if it is inside."""
    host, change = facts.host, facts.request.ask.change
    if scope.environments and host.environment not in scope.environments:
        return f"{host.name} is in environment {host.environment}, not in {_any_of(scope.environments)}"
    if scope.host_groups and not scope.host_groups & host.groups:
        return f"{host.name} is not in host group {_any_of(scope.host_groups)}"
    if not matches(scope.units, names_of(facts)):
        return f"no name of {change.unit} fits {' or '.join(scope.units)}"
    return ""


def as_mentions(groups: Iterable[str]) -> str:
    """Groups as people write them: `@eng or @sre`."""
    return " or ".join(f"@{group}" for group in groups)


def approvers_of(rule: Rule) -> str:
    """Who has to approve: `@sre or @dba`; `@sre and @dba from different groups`."""
    if rule.distinct:
        return f"{' and '.join(f'@{group}' for group in rule.approve)} from different groups"
    return as_mentions(rule.approve) or "nobody"


def _any_of(words: Iterable[str]) -> str:
    return " or ".join(sorted(words))
