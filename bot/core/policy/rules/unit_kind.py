"""Unit types, templates and instances: checked by the unit's name alone, before any host is asked."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.systemd.units import UnitName


def unit_type_is_allowed(facts: Facts, policy: Policy) -> Refuse | None:
    """The policy lists the allowed types of units; the real Id must be of one too."""
    for unit in _units(facts):
        if unit.type not in policy.unit_types:
            allowed = ", ".join(sorted(policy.unit_types))
            return Refuse("unit_type_not_allowed", f"{unit} is a {unit.type} unit; the policy allows {allowed}.")
    return None


def unit_is_no_template(facts: Facts, _policy: Policy) -> Refuse | None:
    """A template's mask affects every instance, and leaves running ones running (measured, docs/systemd.md)."""
    for unit in _units(facts):
        if unit.is_template:
            example = str(unit).replace("@", "@NAME", 1)
            return Refuse(
                "template",
                f"{unit} is a template: its mask would affect every instance and stop none that runs.",
                f"Name one instance, like {example}.",
            )
    return None


def instances_are_allowed(facts: Facts, policy: Policy) -> Refuse | None:
    """The policy may forbid masks of template instances."""
    if policy.instances:
        return None
    for unit in _units(facts):
        if unit.is_instance:
            return Refuse("instance_not_allowed", f"{unit} is an instance of {unit.template}; the policy allows none.")
    return None


def _units(facts: Facts) -> tuple[UnitName, ...]:
    """The unit as asked, and its real Id once the host has been checked."""
    asked = facts.request.ask.change.unit
    return (asked, facts.snapshot.id) if facts.snapshot else (asked,)
