"""What kind of unit it is: by its name alone, before any host is asked."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.systemd.units import UnitName


def unit_type_is_allowed(facts: Facts, policy: Policy) -> Refuse | None:
    """The policy names the types of units; also the real Id must be of one."""
    for unit in _units(facts):
        if unit.type not in policy.unit_types:
            allowed = ", ".join(sorted(policy.unit_types))
            return Refuse("unit_type_not_allowed", f"{unit} is a {unit.type} unit; the policy allows {allowed}.")
    return None


def unit_is_no_template(facts: Facts, _policy: Policy) -> Refuse | None:
    """A template's mask hits every instance, and leaves running ones running (measured, docs/systemd.md)."""
    for unit in _units(facts):
        if unit.is_template:
            example = str(unit).replace("@", "@NAME", 1)
            return Refuse(
                "template",
                f"{unit} is a template: its mask would hit every instance, and stop none that runs.",
                f"Name one instance, like {example}.",
            )
    return None


def instances_are_allowed(facts: Facts, policy: Policy) -> Refuse | None:
    """The policy may rule out instances of templates."""
    if policy.instances:
        return None
    for unit in _units(facts):
        if unit.is_instance:
            return Refuse("instance_not_allowed", f"{unit} is an instance of {unit.template}; the policy allows none.")
    return None


def _units(facts: Facts) -> tuple[UnitName, ...]:
    """The unit as asked, and as it is really called once the host has been looked at."""
    asked = facts.request.ask.change.unit
    return (asked, facts.snapshot.id) if facts.snapshot else (asked,)
