"""`hosts.yaml`: the inventory of hosts, with their addresses, pinned keys and groups."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from bot.core.hosts.inventory import Host, Inventory
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
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}", re.ASCII)
_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
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


def read_host_key(typed: str) -> str:
    """A key's SHA-256 fingerprint, given as such or as the line of a public key file (sshd(8)). Raises `ValueError`."""
    if _FINGERPRINT.fullmatch(typed):
        return typed
    kind, _, rest = typed.partition(" ")
    if kind not in _KEY_TYPES:
        raise ValueError("is neither a fingerprint (SHA256:...) nor a public key (ssh-ed25519 AAAA...)")
    try:
        blob = base64.b64decode(rest.split(" ")[0], validate=True)
    except binascii.Error:
        raise ValueError("is a public key with damaged base64 text") from None
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind.encode()):
        raise ValueError(f"is damaged: it says {kind} but contains something else")
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


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
    host_keys: list[Annotated[str, AfterValidator(read_host_key)]] = Field(min_length=1)
    machine_id: Annotated[str, AfterValidator(_read_machine_id)] | None = None


class HostsFile(BaseModel):
    """The whole file."""

    model_config = STRICT

    hosts: list[HostEntry] = Field(min_length=1)


def read_inventory(document: Document) -> Inventory:
    """All hosts. Raises `ConfigError` with a line for each error."""
    entries = validate(document, HostsFile).hosts
    wrong = [*_duplicates(document, entries), *wrong_jumps(document, entries)]
    if wrong:
        raise together(wrong)
    known = {entry.name: entry for entry in entries}
    return Inventory(tuple(_host(entry, known) for entry in entries))


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


def _host(entry: HostEntry, known: Mapping[str, HostEntry]) -> Host:
    return Host(
        name=entry.name,
        address=entry.address,
        port=entry.port,
        login=entry.login,
        environment=entry.environment,
        groups=frozenset(entry.groups),
        pins=frozenset(entry.host_keys),
        machine_id=entry.machine_id or "",
        via=_host(known[entry.via], known) if entry.via else None,
    )
