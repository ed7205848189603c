"""All names of a unit, so that no alias slips past a list."""

from collections.abc import Iterable

from bot.core.policy.model import Facts, ListedUnit
from bot.core.systemd.host_rules import is_match, with_templates


def names_of(facts: Facts) -> tuple[str, ...]:
    """The name as asked, then the real Id and all Names, each with its template and its unescaped form."""
    names = [str(facts.request.ask.change.unit), str(facts.request.target.unit)]
    if facts.snapshot is not None:
        names += [str(facts.snapshot.asked), str(facts.snapshot.id), *sorted(facts.snapshot.names)]
    return with_templates(names)


def matches(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """Whether any pattern matches any of the names. Case counts, as it does for systemd."""
    names = tuple(names)
    return any(is_match(pattern, name) for pattern in patterns for name in names)


def find_listed(units: Iterable[ListedUnit], names: Iterable[str]) -> tuple[str, ListedUnit] | None:
    """The first name that is on the list, and its entry."""
    units = tuple(units)
    return next(((name, unit) for name in names for unit in units if is_match(unit.pattern, name)), None)
