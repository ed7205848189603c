"""Inventories that people have: what `ansible-inventory --list`, ssh_config(5) and known_hosts files say of hosts."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from bot.errors import UsageError
from config.known_hosts import KnownHosts

_JUMP = re.compile(r"(?:-J\s*|ProxyJump[=\s]\s*)[\"']?([^\s\"',]+)")
_NO_GROUPS = frozenset({"all", "ungrouped", "_meta"})


@dataclass(frozen=True, slots=True)
class SourceHost:
    """A host as a source has it: under the source's own name."""

    name: str
    address: str
    port: int = 22
    groups: frozenset[str] = field(default_factory=frozenset)
    environment: str = ""
    via: str = ""  # the source's name of the host on the way
    address_is_said: bool = True  # and not only guessed from the name
    user: str = ""  # with which people log in


def read_source(text: str) -> list[SourceHost]:
    """The hosts of a source, told by its form. Raises `UsageError`."""
    if text.lstrip().startswith("{"):
        try:
            return list(_from_ansible(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError("This is not what `ansible-inventory --list` prints.") from None
    known = [SourceHost(one.name, one.address, one.port) for one in KnownHosts(text).named()]
    if not known and re.search(r"^\s*Host[\s=]", text, re.MULTILINE | re.IGNORECASE):
        return list(_from_ssh_config(text))
    return known


def _from_ansible(text: str) -> Iterator[SourceHost]:
    told = json.loads(text)
    variables = told["_meta"]["hostvars"]
    groups = {name: one for name, one in told.items() if name != "_meta"}
    names = sorted({*variables, *(host for one in groups.values() for host in one.get("hosts", ()))})
    for name in names:
        known = variables.get(name, {})
        found = frozenset(group for group in groups if group not in _NO_GROUPS and name in _members(group, groups))
        jump = _JUMP.search(f"{known.get('ansible_ssh_common_args', '')} {known.get('ansible_ssh_extra_args', '')}")
        address = known.get("ansible_host", known.get("ansible_ssh_host", ""))
        yield SourceHost(
            name,
            str(address or name),
            _port(known.get("ansible_port", 22), name),
            found,
            str(known.get("env", "")),
            _hop(jump.group(1)) if jump else "",
            bool(address),
            str(known.get("ansible_user", "")),
        )


def _members(group: str, groups: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The hosts of a group and of the groups in it."""
    if group in seen or group not in groups:
        return frozenset()
    inner = (_members(child, groups, seen | {group}) for child in groups[group].get("children", ()))
    return frozenset(groups[group].get("hosts", ())).union(*inner)


def _from_ssh_config(text: str) -> Iterator[SourceHost]:
    """Every name that is no pattern, with the first value of each option that fits it (ssh_config(5))."""
    blocks: list[tuple[list[str], dict[str, str]]] = [(["*"], {})]
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip().replace("=", " ", 1).split()
        if not words or words[0].startswith("#"):
            continue
        option = words[0].lower()
        if option in {"match", "include"}:
            raise UsageError(
                f"Line {number}: `{words[0]}` is not supported. Leave it out, and write its options under each host."
            )
        if option == "host":
            blocks.append((words[1:], {}))
        else:
            blocks[-1][1].setdefault(option, " ".join(words[1:]).strip('"'))
    names = [name for patterns, _ in blocks for name in patterns if not set(name) & set("*?!")]
    for name in dict.fromkeys(names):
        said: dict[str, str] = {}
        for patterns, options in blocks:
            if _fits(name, patterns):
                said = options | said
        address, jump = said.get("hostname", "").replace("%h", name), said.get("proxyjump", "")
        via = _hop(jump.split(",")[-1]) if jump and jump != "none" else ""
        yield SourceHost(
            name,
            address or name,
            _port(said.get("port", 22), name),
            via=via,
            address_is_said=bool(address),
            user=said.get("user", ""),
        )


def _fits(name: str, patterns: list[str]) -> bool:
    if any(fnmatchcase(name, pattern[1:]) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _hop(typed: str) -> str:
    """`login@bastion:22` without what is not its name."""
    return typed.rpartition("@")[2].partition(":")[0]


def _port(said: object, name: str) -> int:
    if not str(said).isdecimal():
        raise UsageError(f"{name}: its port is not a number.")
    return int(str(said))
