"""Turn the hosts of a source into entries of `hosts.yaml`, and say which of them cannot be imported."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.hosts.address import is_ip_address
from bot.core.hosts.inventory import Host, Inventory
from config.host_sources import SourceHost
from config.hosts import read_address, read_name
from config.hosts_edit import NO_KEY, Entry, quoted
from config.known_hosts import KnownHosts

_REPOSITORIES = ("git", "hg")
_WORD = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?", re.ASCII)


@dataclass(slots=True)
class Taken:
    """The hosts that a source has brought."""

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # a line for each host that is left out, and why
    users: dict[str, str] = field(default_factory=dict)  # with which login people reach a host, where the source says


def take(found: Sequence[SourceHost], inventory: Inventory, known_hosts: KnownHosts, *, environment: str = "") -> Taken:
    """The entries for `hosts.yaml`; hosts that it has already are changed only where the source says something else."""
    taken, names = Taken(), _names(found)
    places = {(one.via.name if one.via else "", one.address, one.port): one.name for one in inventory.hosts}
    for one in found:
        try:
            entry = _entry(one, names, inventory, known_hosts, environment)
            place = (names.get(one.via, one.via), read_address(one.address), one.port)
            if places.setdefault(place, entry.name) != entry.name:
                raise ValueError(f"{place[1]} is the address of {places[place]}")
        except ValueError as error:
            taken.notes.append(f"{one.name}: left out: {error}")
        else:
            taken.entries.append(entry)
            taken.users |= {entry.name: one.user} if one.user else {}
    return taken


def _names(found: Sequence[SourceHost]) -> Mapping[str, str]:
    """The name here for each name there: its first label, or all of them where two have the same first one."""
    first = {one.name: _plain(one.name.partition(".")[0] if not is_ip_address(one.name) else one.name) for one in found}
    often = Counter(first.values())
    return {name: short if often[short] == 1 else _plain(name) for name, short in first.items()}


def _plain(name: str) -> str:
    return re.sub(r"[._:]+", "-", name.lower())


def _entry(
    one: SourceHost, names: Mapping[str, str], inventory: Inventory, known_hosts: KnownHosts, environment: str
) -> Entry:
    """Raises `ValueError` with the reason why it cannot be one."""
    if is_ip_address(one.name):
        raise ValueError("it has an address but no name")
    if one.user in _REPOSITORIES:
        raise ValueError(f"people log in there as {one.user}, so it hosts repositories")
    name, via = read_name(names[one.name]), names.get(one.via, one.via)
    old = inventory.get(name)
    if via and via not in names.values() and inventory.get(via) is None:
        raise ValueError(f"its jump host {via} is not among the hosts")
    wanted = one.environment or environment
    if old is None and not _WORD.fullmatch(wanted):
        raise ValueError(
            "no environment is given for it (--environment)" if not wanted else f"{wanted} is not one word"
        )
    pins = known_hosts.pins(one.name, one.address, port=one.port)
    new = tuple(pin for pin in pins if old is None or pin not in old.pins)
    address = "" if old and not one.address_is_said else quoted(read_address(one.address))
    fields = {"address": address, **_port(one, old), "via": quoted(via) if via else ""}
    fields |= {"environment": "" if old else quoted(wanted), "groups": _groups(one, old)}
    return Entry(name, fields, new, NO_KEY)


def _port(one: SourceHost, old: Host | None) -> Mapping[str, str]:
    is_usual = one.port == (old.port if old else 22)
    return {"port": "" if is_usual else str(one.port)}


def _groups(one: SourceHost, old: Host | None) -> str:
    """The groups of both, so that none is lost on which a rule may rest."""
    groups = {group for group in map(str.lower, one.groups) if _WORD.fullmatch(group)}
    before = old.groups if old else frozenset[str]()
    return "" if groups <= before else f"[{', '.join(map(quoted, sorted(groups | before)))}]"
