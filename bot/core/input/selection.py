"""Parse what a change is about: one host and one unit, or lists of hosts, groups of hosts and units."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from bot.core.hosts.inventory import is_group
from bot.core.input.names import SHOWN, read_host, read_unit
from bot.core.input.options import ADOPT, ORDER, SET, WAVES
from bot.core.requests import Selection
from bot.core.rollout.wave_sizes import read_waves
from bot.core.systemd.units import UNIT_TYPES, UnitName
from bot.core.text import unmangle
from bot.errors import UsageError

Names = tuple[tuple[str, ...], tuple[UnitName, ...]]  # hosts and groups as typed, and units
_HOSTS, _UNITS = "web-01,web-02", "nginx,php-fpm"  # examples
_Name = TypeVar("_Name")
_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})
_MANY = (SET, WAVES, ORDER)  # options of a rollout


def read_hosts(typed: str, places: Sequence[str]) -> tuple[str, ...]:
    """Hosts and groups of hosts, as in `web-01,@db`, each of them once. Raises `UsageError`."""
    known = frozenset(places)
    return _list(typed, lambda one: one if one in known else read_host(one, places), _HOSTS)


def read_units(typed: str) -> tuple[UnitName, ...]:
    """Units, as in `nginx,php-fpm`, each of them once. Raises `UsageError`."""
    return _list(typed, read_unit, _UNITS)


def read_names(said: str, names: Sequence[str], places: Sequence[str]) -> Names:
    """The hosts and units of a command, whose first words are `said`. Raises `UsageError`."""
    for name, example in zip(names, (_HOSTS, _UNITS), strict=False):
        _items(name, example)
    match names:
        case [unit, host] if are_known(host, places) and not are_known(unit, places):
            raise UsageError(f"The host comes first: `/{said} {host[:SHOWN]} {unit[:SHOWN]}`.")
        case [host, unit]:
            return read_hosts(host, places), read_units(unit)
        case [host] if are_known(host, places):
            raise UsageError(f"Which unit on {host[:SHOWN]}? Write it as in `/{said} {host[:SHOWN]} cron`.")
        case _:
            raise UsageError(f"Name a host and a unit, as in `/{said} {next(iter(places), 'web-01')} cron`.")


def read_selection(names: Names, options: Mapping[str, str] = _NO_OPTIONS) -> Selection | None:
    """What a rollout or a question is about; None for at most one host and unit.

    Raises `UsageError` for options that do not go together.
    """
    (hosts, units), given = names, [name for name in _MANY if name in options]
    is_one_host = not any(map(is_group, hosts)) and len(hosts) <= 1
    if is_one_host and len(units) <= 1 and not given:
        return None
    if ADOPT in options:
        raise UsageError("`--adopt` adopts one existing mask: name one host and one unit.")
    if "--force" in options:
        raise UsageError("`--force` ends one stop that a mask waits for: name one host and one unit.")
    for name in given:
        if is_one_host and name != SET:
            raise UsageError(f"`{name}` is about several hosts, and you named one: leave it out, or name more hosts.")
    waves = read_waves(options[WAVES]) if WAVES in options else ()
    return Selection(hosts, units, waves, with_triggers=SET in options, in_order=ORDER in options)


def refuse_second_unit(names: Names, reason: str) -> None:
    """Refuse a reason that begins with a unit, or with the rest of a list: a list has no spaces."""
    first = reason.split(maxsplit=1)[0] if reason.strip() else ""
    if first.startswith((",", "%")):
        raise UsageError(
            f"A list has a space before `{first[:SHOWN]}`: write it without spaces, like `{_UNITS}` or `1,10%,rest`. "
            "If it is the reason, begin it with another word."
        )
    word = first.strip(",")
    stem, dot, suffix = word.rpartition(".")
    if stem and dot and suffix in UNIT_TYPES:
        both = f"{','.join(map(str, names[1]))},{word}"
        raise UsageError(
            f"Is `{word[:SHOWN]}` another unit? Then write units as a list without spaces: `{both[:SHOWN]}`. "
            "If it is the reason, begin it with another word."
        )


def names_in_words(names: Names) -> str:
    """Hosts and units as they are typed."""
    hosts, units = names
    return f"{','.join(hosts)} {','.join(map(str, units))}"


def _list(typed: str, read: Callable[[str], _Name], example: str) -> tuple[_Name, ...]:
    return tuple(dict.fromkeys(read(one) for one in _items(typed, example)))


def _items(typed: str, example: str) -> list[str]:
    items = [unmangle.word(one) for one in typed.split(",")]
    if len(items) > 1 and not all(items):
        raise UsageError(
            f"`{typed[:SHOWN]}` has a comma too many: leave out the comma, "
            f"or write a list without spaces, as in `{example}`."
        )
    return items


def are_known(typed: str, places: Sequence[str]) -> bool:
    """Whether a word is a list of hosts and groups, so that it cannot be meant as units."""
    known, items = frozenset(places), [unmangle.word(one) for one in typed.split(",") if one]
    return bool(items) and known.issuperset(items)
