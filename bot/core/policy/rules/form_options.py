"""What can be said of a mask by names alone, for options of a form: no host and no person is looked up."""

from datetime import UTC, datetime

from bot.core.hosts.inventory import Host
from bot.core.people.identity import Person, PersonId, Place
from bot.core.policy.model import Check, Facts, Moment, Policy, Refuse
from bot.core.policy.rules import critical_units, permission, unit_kind
from bot.core.policy.rules.approval import guarded_because
from bot.core.policy.rules.critical_units import reason_of
from bot.core.policy.rules.unit_names import find_listed, names_of
from bot.core.requests import Ask, Change, Request, Target

# In the order of `policy.RULES`. Whatever passes here is checked in full once it is a request.
_BY_NAME: tuple[Check, ...] = (
    critical_units.unit_is_not_critical,
    critical_units.unit_starts_nothing_critical,
    unit_kind.unit_type_is_allowed,
    unit_kind.unit_is_no_template,
    unit_kind.instances_are_allowed,
    permission.no_rule_forbids,
    permission.some_rule_matches,
)
_NOBODY = Person(PersonId("", ""), "")


def refused_by_name(change: Change, host: Host, policy: Policy) -> Refuse | None:
    """Why nobody could ever be asked to approve this; None if that is not known yet."""
    answers = (rule(_facts(change, host), policy) for rule in _BY_NAME)
    return next((answer for answer in answers if isinstance(answer, Refuse)), None)


def protection(change: Change, host: Host, policy: Policy) -> str:
    """Why the unit is refused or guarded, in a few words for a list; empty for an ordinary unit."""
    facts = _facts(change, host)
    found = find_listed(policy.critical, names_of(facts))
    if found:
        return _short(f"critical: {reason_of(found[1], facts)}")
    no = refused_by_name(change, host, policy)
    if no:
        return _short(no.reason)
    guarded = guarded_because(facts, policy)
    return _short(f"guarded: {guarded}") if guarded else ""


def _facts(change: Change, host: Host) -> Facts:
    now = datetime.min.replace(tzinfo=UTC)
    ask = Ask(change, _NOBODY.id, "", Place(""))
    request = Request("", "", ask, now, Target(change.host, change.unit))
    return Facts(now, Moment.ASK, request, host, _NOBODY, ask.place)


def _short(because: str) -> str:
    """The first sentence of a text."""
    return because.partition(". ")[0].rstrip(".")
