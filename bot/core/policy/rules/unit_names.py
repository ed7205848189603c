"""All names of a unit, so that no alias slips past a list."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from bot.core.policy.model import Facts, ListedUnit

_INSTANCE = re.compile(r"@.*(?=\.[a-z]+\Z)")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


def names_of(facts: Facts) -> tuple[str, ...]:
    """The name as asked, then the real Id and all Names, each with its template and its unescaped form."""
    names = [str(facts.request.ask.change.unit), str(facts.request.target.unit)]
    if facts.snapshot is not None:
        names += [str(facts.snapshot.asked), str(facts.snapshot.id), *sorted(facts.snapshot.names)]
    return with_templates(names)


def with_templates(names: Iterable[str]) -> tuple[str, ...]:
    r"""Names with their template and unescaped forms: `getty@tty1.service` also `getty@.service`, `a\x2db` also
    `a-b`.
    """
    wide: dict[str, None] = {}
    for name in names:
        plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), name)
        wide |= dict.fromkeys((name, _INSTANCE.sub("@", name), plain))
    return tuple(wide)


def matches(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """Whether any pattern matches any of the names. Case counts, as it does for systemd."""
    names = tuple(names)
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def find_listed(units: Iterable[ListedUnit], names: Iterable[str]) -> tuple[str, ListedUnit] | None:
    """The first name that is on the list, and its entry."""
    units = tuple(units)
    return next(((name, unit) for name in names for unit in units if fnmatchcase(name, unit.pattern)), None)
