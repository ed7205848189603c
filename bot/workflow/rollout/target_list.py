"""Expand what a rollout is asked for into its targets: each host once, and each unit on it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from bot.core.hosts.inventory import Inventory, is_group
from bot.core.requests import Ask, Request, Selection, Verb
from bot.core.systemd.units import UnitName
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.process.deps import Deps

_MOST_LIVE = 200  # masks among which the rollout is looked for that an unmask is about


def expand(deps: Deps, selection: Selection) -> tuple[tuple[str, UnitName], ...]:
    """Host and unit of every target: hosts as typed, a group's hosts as in the inventory, units as typed.

    Raises `UsageError` if the words name nobody, or too many.
    """
    deps = deps.pinned()
    hosts, units, most = expand_hosts(deps, selection), selection.units, deps.in_force.policy.limits.targets
    if len(hosts) * len(units) > most:
        raise UsageError(_too_many(len(hosts), len(units), most))
    return tuple((host, unit) for host in hosts for unit in units)


def expand_hosts(deps: Deps, selection: Selection) -> tuple[str, ...]:
    """Every host that the words name, each of them once. Raises `UsageError` if they name nobody."""
    inventory = deps.in_force.inventory
    known = {host.name for host in inventory.hosts}
    named = ([name] if name in known else _group(inventory, name) for name in selection.hosts)
    return tuple(dict.fromkeys(host for hosts in named for host in hosts))


def expand_now(deps: Deps, selection: Selection) -> Iterator[tuple[str, UnitName]]:
    """The same for a hold that is in force: its groups as they are now, without names that are gone."""
    for name in selection.hosts:
        with suppress(UsageError):
            yield from ((host, unit) for host in _group(deps.in_force.inventory, name) for unit in selection.units)


def bind(deps: Deps, ask: Ask) -> Ask:
    """The request with its host, or the targets of a rollout, checked. An unmask of a rollout's words is its undo.

    Raises `UsageError` if the words name nobody, or too many.
    """
    if ask.selection is None:
        deps.in_force.inventory.host(ask.change.host)
        return ask
    if ask.undoes or ask.repeats or ask.extends:
        return ask
    expand(deps, ask.selection)
    if ask.change.verb is not Verb.UNMASK:
        return ask
    names = dict.fromkeys(ask.selection.units)
    live = (deps.store.find(Query(unit=unit, live_masks=True, rollout="", limit=_MOST_LIVE)) for unit in names)
    same = next((mask for masks in live for mask in masks if _is_of_the_same_words(mask, ask)), None)
    return replace(ask, undoes=same.id) if same else ask


def _group(inventory: Inventory, name: str) -> list[str]:
    """The hosts of a group. Raises `UsageError` if it has none, or if the name is that of no host."""
    if not is_group(name):
        return [inventory.host(name).name]
    found = [host.name for host in inventory.in_group(name)]
    if not found:
        raise UsageError(f"hosts.yaml has no host in the group `{name[:80]}`. `/mask help` lists the hosts.")
    return found


def _too_many(hosts: int, units: int, most: int) -> str:
    each = f" with {units} units each" if units > 1 else ""
    return (
        f"That is {hosts} host{'s' * (hosts != 1)}{each}: {hosts * units} targets, and one request may have {most}. "
        "Name fewer, and ask for the others in another request."
    )


def _is_of_the_same_words(mask: Request, ask: Ask) -> bool:
    """Whether a rollout of ours is about the hosts and units that the unmask names."""
    ours, asked = mask.ask.selection, ask.selection
    return (
        ours is not None
        and asked is not None
        and ({*ours.hosts}, {*ours.units}) == ({*asked.hosts}, {*asked.units})
        and ours.with_triggers == asked.with_triggers
        and mask.ask.change.user == ask.change.user
    )
