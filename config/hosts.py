"""`hosts.yaml`: the inventory of hosts, with their addresses, pinned keys and groups."""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from bot.core.hosts.inventory import Host, Inventory
from config.host_ca import HostCaEntry, authorities_of, read_principal
from config.host_keys import read_host_key
from config.jumps import wrong_jumps
from config.policy_types import Word
from config.strict_yaml import STRICT, Document, together, validate

# Words that stand in the place of a host's name: present and future commands.
RESERVED = frozenset(
    {
        "status", "plan", "why", "list", "history", "help", "freeze", "thaw", "handover", "mask", "unmask", "approve",
        "deny", "hold",
    }
)  # fmt: skip

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# The last label begins with a letter: what is all numbers (127.1, 0x7f000001) is an address to some resolvers.
_DNS_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LONGEST_NAME = 253
_MACHINE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,30}", re.ASCII)


def read_name(typed: str) -> str:
    """A host's name as people type it; one label, never a domain or an address. Raises `ValueError`."""
    if typed in RESERVED:
        raise ValueError(f"`{typed}` is a command word and cannot be a host name")
    if not _NAME.fullmatch(typed):
        raise ValueError(f"`{typed[:80]}` is not a valid host name; use lower-case letters, digits and dashes")
    return typed


def read_address(typed: str) -> str:
    """An IP address or a DNS name. What a name resolves to is not trusted: the pinned key is. Raises `ValueError`."""
    try:
        return str(ip_address(typed))
    except ValueError:
        name = typed.lower()
    if len(name) > _LONGEST_NAME or not _DNS_NAME.fullmatch(name):
        raise ValueError(f"`{typed[:80]}` is neither an IP address nor a DNS name")
    return name


def _read_login(typed: str) -> str:
    if not _LOGIN.fullmatch(typed):
        raise ValueError(f"`{typed[:80]}` is not a login name")
    return typed


def _read_machine_id(typed: str) -> str:
    if not _MACHINE_ID.fullmatch(typed):
        raise ValueError("is not a machine-id: it has 32 hexadecimal digits, as in /etc/machine-id")
    return typed


class HostEntry(BaseModel):
    """One host."""

    model_config = STRICT

    name: Annotated[str, AfterValidator(read_name)]
    address: Annotated[str, AfterValidator(read_address)]
    port: int = Field(default=22, ge=1, le=65535)
    login: Annotated[str, AfterValidator(_read_login)] = "maskbot"
    via: Annotated[str, AfterValidator(read_name)] | None = None
    environment: Word
    groups: list[Word] = []
    host_keys: list[Annotated[str, AfterValidator(read_host_key)]] | None = None
    principals: list[Annotated[str, AfterValidator(read_principal)]] = []
    machine_id: Annotated[str, AfterValidator(_read_machine_id)] | None = None


class HostsFile(BaseModel):
    """The whole file."""

    model_config = STRICT

    hosts: list[HostEntry] = Field(min_length=1)
    host_ca: list[HostCaEntry] = []


def read_inventory(document: Document) -> Inventory:
    """All hosts. Raises `ConfigError` with a line for each error."""
    file = validate(document, HostsFile)
    wrong = [*_duplicates(document, file.hosts), *_untrusted(document, file), *wrong_jumps(document, file.hosts)]
    if wrong:
        raise together(wrong)
    known = {entry.name: entry for entry in file.hosts}
    return Inventory(tuple(_host(entry, known, file.host_ca) for entry in file.hosts))


def unpinned(document: Document, inventory: Inventory) -> Iterator[str]:
    """Hosts whose key is not known yet (`host_keys: []`): nothing is sent to them."""
    for position, host in enumerate(inventory.hosts):
        if not host.trusted:
            text = f"no key of {host.name} is pinned, so nothing is sent to it. `maskbot hosts scan` shows its key"
            yield document.complaint(("hosts", position, "host_keys"), text)


def _untrusted(document: Document, file: HostsFile) -> Iterator[str]:
    """Hosts of which no key would be trusted."""
    for position, entry in enumerate(file.hosts):
        if entry.host_keys is None and not authorities_of(entry.name, file.host_ca):
            yield document.complaint(("hosts", position, "host_keys"), "is missing, and no host_ca is for this name")


def _duplicates(document: Document, entries: list[HostEntry]) -> Iterator[str]:
    """Two names for one machine would let two changes run there at once."""
    seen: dict[object, str] = {}
    for position, entry in enumerate(entries):
        marks = {"name": entry.name, "address": (entry.via, entry.address, entry.port), "machine_id": entry.machine_id}
        for field, mark in marks.items():
            if mark is not None and (field, mark) in seen:
                text = f"already used by host {seen[field, mark]}"
                yield document.complaint(("hosts", position, field), text)
            seen.setdefault((field, mark), entry.name)


def _host(entry: HostEntry, known: Mapping[str, HostEntry], authorities: Sequence[HostCaEntry]) -> Host:
    return Host(
        name=entry.name,
        address=entry.address,
        port=entry.port,
        login=entry.login,
        environment=entry.environment,
        groups=frozenset(entry.groups),
        pins=frozenset(entry.host_keys or ()),
        machine_id=entry.machine_id or "",
        via=_host(known[entry.via], known, authorities) if entry.via else None,
        authorities=authorities_of(entry.name, authorities),
        principals=frozenset(entry.principals),
    )
