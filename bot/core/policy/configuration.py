"""The configuration in force (hosts and policy), read and replaced as a whole, and the differences between two."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.core.hosts.inventory import Inventory
from bot.core.policy.model import Policy

# Fields whose entries people know by name, with the word for one entry; other fields go by their key.
_NAMED = {"groups": "group", "rules": "rule", "freezes": "change freeze", "maintenance_windows": "maintenance window"}
_NOT_SAID = ("digest", "observe", *_NAMED)


@dataclass(frozen=True, slots=True)
class ConfigSnapshot:
    """Hosts and policy of one moment. Nobody ever sees the hosts of one file with the rules of another."""

    inventory: Inventory
    policy: Policy


def changes(old: ConfigSnapshot, new: ConfigSnapshot) -> tuple[str, ...]:
    """The differences between two configurations, a few words per entry; empty if they mean the same."""
    return (*_things("host", old.inventory.hosts, new.inventory.hosts), *_of_policy(old.policy, new.policy))


def _of_policy(old: Policy, new: Policy) -> Iterator[str]:
    for field, word in _NAMED.items():
        yield from _things(word, getattr(old, field), getattr(new, field))
    if old.observe != new.observe:
        yield f"mode: {old.mode} → {new.mode}"
    for one in fields(Policy):
        was, is_now = getattr(old, one.name), getattr(new, one.name)
        if one.name not in _NOT_SAID and _without_line(was) != _without_line(is_now):
            yield f"`{one.name}` changed"


def _things(word: str, old: Iterable[Any], new: Iterable[Any]) -> Iterator[str]:
    was, is_now = _by_name(old), _by_name(new)
    yield from (f"{word} {name} is gone" for name in was if name not in is_now)
    yield from (f"{word} {name} is new" for name in is_now if name not in was)
    yield from (f"{word} {name} changed" for name in was if name in is_now and was[name] != is_now[name])


def _by_name(things: Iterable[Any]) -> Mapping[str, Any]:
    return {one.name: _without_line(one) for one in things}


def _without_line(thing: Any) -> Any:
    """An entry without its line in the file, which is no difference."""
    return replace(thing, line=0) if hasattr(thing, "line") else thing
