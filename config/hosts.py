"""`hosts.yaml`: the inventory of hosts, with their addresses, pinned keys and groups."""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bot.core.hosts.inventory import Host, Inventory, InventorySource
from config.host_ca import Covered, HostCaEntry, authorities_of, covered, read_principal, unread_lists
from config.host_keys import read_host_key
from config.inventory_source import InventoryEntry, source_of
from config.jumps import wrong_jump
from config.policy_types import Word
from config.strict_yaml import STRICT, Document, together, validate

# Words that stand in the place of a host's name: present and future commands.
RESERVED = frozenset(
    {
        "status", "plan", "why", "list", "history", "help", "freeze", "thaw", "handover", "mask", "unmask", "approve",
        "deny", "hold", "enrol", "enroll",
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
    if not _NAME.fullmatch(typed) and "." in typed:
        raise ValueError(f"`{typed[:80]}` has a domain, which belongs in `address`; leave it out of the name")
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

    hosts: list[HostEntry] = []
    host_ca: list[HostCaEntry] = []
    inventory: InventoryEntry | None = None

    @model_validator(mode="after")
    def _has_hosts(self) -> "HostsFile":
        if not self.hosts and self.inventory is None:
            raise ValueError("no hosts are given: list them under `hosts`, or name an `inventory`")
        return self


class Answer(BaseModel):
    """The list of hosts from an inventory source."""

    model_config = STRICT

    hosts: list[HostEntry]


class Place(NamedTuple):
    """Where an entry stands."""

    document: Document
    position: int
    entry: HostEntry

    def complaint(self, field: str, text: str) -> str:
        """An error line about one field."""
        return self.document.complaint(("hosts", self.position, field), text)


def read_source(document: Document) -> InventorySource | None:
    """The source of more hosts, if the file names one. Raises `ConfigError`."""
    entry = validate(document, HostsFile).inventory
    return source_of(entry) if entry else None


def read_hosts(document: Document) -> frozenset[str]:
    """The names of the hosts that the file itself lists. Raises `ConfigError`."""
    return frozenset(entry.name for entry in validate(document, HostsFile).hosts)


def read_inventory(document: Document, answer: Document | None = None) -> Inventory:
    """All hosts: of the file, and of the answer of its source. Raises `ConfigError` with a line for each error."""
    file = validate(document, HostsFile)
    places = [Place(document, position, entry) for position, entry in enumerate(file.hosts)]
    if answer is not None:
        more = validate(answer, Answer).hosts
        places += [Place(answer, position, entry) for position, entry in enumerate(more)]
    entries = [place.entry for place in places]
    cas = covered(file.host_ca)
    wrong = [*_duplicates(places), *_untrusted(places, cas)]
    wrong += [place.complaint("via", why) for place in places if (why := wrong_jump(place.entry, entries))]
    if wrong:
        raise together(wrong)
    known = {entry.name: entry for entry in entries}
    source = source_of(file.inventory) if file.inventory else None
    return Inventory(tuple(_host(entry, known, cas) for entry in entries), source)


def unpinned(inventory: Inventory, *documents: Document) -> Iterator[str]:
    """Hosts whose key is not known yet (`host_keys: []`): nothing is sent to them."""
    names = {host.name for host in inventory.hosts if not host.trusted}
    for document in documents:
        for position, entry in enumerate(document.data.get("hosts", ())):
            if entry["name"] in names:
                why = (
                    f"no key of {entry['name']} is pinned, so nothing is sent to it. `maskbot hosts scan` shows its key"
                )
                yield document.complaint(("hosts", position, "host_keys"), why)


def unread(document: Document) -> Iterator[str]:
    """Revocation lists of CAs that cannot be used."""
    yield from unread_lists(document, validate(document, HostsFile).host_ca)


def _untrusted(places: Sequence[Place], cas: Sequence[Covered]) -> Iterator[str]:
    """Hosts of which no key would be trusted."""
    for place in places:
        if place.entry.host_keys is None and not authorities_of(place.entry.name, cas):
            yield place.complaint(
                "host_keys",
                "is missing, and no host_ca covers this name; write `host_keys: []`, and `maskbot hosts scan` shows it",
            )


def _duplicates(places: Sequence[Place]) -> Iterator[str]:
    """Two names for one machine would let two changes run there at once."""
    seen: dict[object, str] = {}
    for place in places:
        entry = place.entry
        where = (entry.via, entry.address, entry.port)
        for field, mark in {"name": entry.name, "address": where, "machine_id": entry.machine_id}.items():
            if mark is not None and (field, mark) in seen:
                yield place.complaint(field, f"already used by host {seen[field, mark]}")
            seen.setdefault((field, mark), entry.name)


def _host(entry: HostEntry, known: Mapping[str, HostEntry], cas: Sequence[Covered]) -> Host:
    return Host(
        name=entry.name,
        address=entry.address,
        port=entry.port,
        login=entry.login,
        environment=entry.environment,
        groups=frozenset(entry.groups),
        pins=frozenset(entry.host_keys or ()),
        machine_id=entry.machine_id or "",
        via=_host(known[entry.via], known, cas) if entry.via else None,
        authorities=authorities_of(entry.name, cas),
        principals=frozenset(entry.principals),
    )
