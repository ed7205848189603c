"""Break-glass: people whom the policy names may go ahead without the missing approvals.

Every other rule still applies.
"""

from bot.core.people.identity import Person
from bot.core.policy.model import Allow, Facts, Moment, Policy, Refuse
from bot.core.policy.rules.approval import STEP_UP_MISSING, guarded_because, requirements_for
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.policy.rules.permission import NOT_KNOWN, NOT_KNOWN_YET, as_mentions, matching, not_known
from bot.core.policy.rules.routing import routing_for

BREAK_GLASS = "break-glass"


def may_break_glass(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse break-glass for people outside its group, without a reason, or without console access for a guarded
    unit.
    """
    if facts.moment is not Moment.BREAK_GLASS or facts.break_glass is None:
        return None
    return objection(facts.break_glass, facts, policy)


def break_glass_is_allowed(facts: Facts, policy: Policy) -> Allow | Refuse | None:
    """The rights of whoever used break-glass are read again at every moment, like those of approvers."""
    if facts.break_glass is None:
        return None
    no = objection(facts.break_glass, facts, policy)
    if no is None:
        return Allow(
            BREAK_GLASS,
            f"{facts.break_glass.name} used break-glass",
            routing_for(requirements_for(facts, policy).rule, facts),
        )
    return no if no.code in (NOT_KNOWN, NOT_KNOWN_YET) else None


def objection(person: Person, facts: Facts, policy: Policy) -> Refuse | None:
    """Why somebody may not use break-glass for this change; None if they may."""
    may, used = policy.break_glass.groups, facts.request.break_glass
    closed = next((rule.name for rule in matching(facts, policy) if not rule.allows_break_glass), "")
    if closed:
        return Refuse("break_glass_forbidden", f"Rule `{closed}` does not allow break-glass.")
    if person.groups.isdisjoint(may) and (no := not_known(sorted(may), facts)):
        return no
    if person.groups.isdisjoint(may) or not is_one_of_us(person, policy):
        hint = f"{as_mentions(sorted(may))} may." if may else "Nobody may: the policy names no group for it."
        return Refuse("break_glass_not_permitted", "You may not use break-glass.", hint)
    reason = used.reason if used else facts.request.ask.reason
    if too_short := why_too_short(reason, policy):
        return Refuse("no_reason", too_short)
    console_confirmed = used.console_works if used else facts.request.ask.console_works
    if guarded_because(facts, policy) and not console_confirmed:
        why = "This unit is guarded: to use break-glass, confirm that console access works today."
        return Refuse("console_not_vouched", why, "Confirm with `--console-works`, or in the form under `Details`.")
    stepped_up = used.stepped_up if used else facts.request.ask.stepped_up
    if not stepped_up and needs_step_up(facts, policy):
        hint = "Give it with `--code`, or in the form under `Details`."
        return Refuse(STEP_UP_MISSING, "Break-glass needs a code from your authenticator here.", hint)
    return None


def needs_step_up(facts: Facts, policy: Policy) -> bool:
    """Whether break-glass needs a code: wherever it is asked for by itself, and where approvals need one."""
    return policy.break_glass.step_up or requirements_for(facts, policy).step_up


def why_too_short(reason: str, policy: Policy) -> str:
    """What is wrong with a break-glass reason; empty if nothing is."""
    least = policy.break_glass.min_reason_length
    return "" if len(reason.strip()) >= least else f"Break-glass needs a reason of at least {least} characters."
