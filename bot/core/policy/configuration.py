"""The configuration in force (hosts and policy), read and replaced as a whole, and the differences between two."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.core.hosts.inventory import Inventory
from bot.core.policy.model import Policy

# Fields whose entries people know by name, with the word for one entry; other fields go by their key.
_NAMED = {"groups": "group", "rules": "rule", "freezes": "freeze", "maintenance_windows": "window"}
_NOT_SAID = ("digest", *_NAMED)


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
    for one in fields(Policy):
        if one.name not in _NOT_SAID and getattr(old, one.name) != getattr(new, one.name):
            yield f"`{one.name}` changed"


def _things(word: str, old: Iterable[Any], new: Iterable[Any]) -> Iterator[str]:
    was, is_now = _by_name(old), _by_name(new)
    yield from (f"{word} {name} is gone" for name in was if name not in is_now)
    yield from (f"{word} {name} is new" for name in is_now if name not in was)
    yield from (f"{word} {name} changed" for name in was if name in is_now and was[name] != is_now[name])


def _by_name(things: Iterable[Any]) -> Mapping[str, Any]:
    """Entries by name, without their line in the file, which is no difference."""
    return {one.name: replace(one, line=0) if hasattr(one, "line") else one for one in things}
