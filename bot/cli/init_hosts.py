"""The hosts of `maskbot init`: those that are named, and what root runs on each that has no key yet."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import typer

from bot.cli.arguments import InitArguments
from bot.cli.hosts_file import change
from bot.cli.status_line import line
from bot.core.hosts.inventory import Host, Inventory
from bot.errors import UsageError
from config.first_files import first_hosts
from config.host_sources import read_source
from config.hosts import read_address, read_inventory, read_name
from config.hosts_edit import NO_KEY, Entry, quoted
from config.hosts_import import take
from config.known_hosts import KnownHosts
from config.loading import kept_answer
from config.strict_yaml import read_document

_SSH, DEFAULT = 22, "prod"
Users = Mapping[str, str]  # with which login an administrator reaches a host, where a source says so


def named_hosts(given: InitArguments, path: Path) -> tuple[list[Entry], Users]:
    """The hosts that are named, and those of the source that is. Raises `UsageError`, `ConfigError`."""
    hosts, users = list[Entry](), dict[str, str]()
    if given.import_:
        try:
            text = given.import_.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{given.import_}: cannot be read") from None
        taken = take(read_source(text), _inventory(path), KnownHosts(f"{text}\n"), environment=given.environment)
        for note in taken.notes:
            typer.echo(line(note), err=True)
        hosts, users = taken.entries, taken.users
    return [*hosts, *(_host(typed, quoted(given.environment)) for typed in given.host or ())], users


def write_hosts(path: Path, named: Sequence[Entry], environment: str) -> None:
    """Write the first `hosts.yaml`, or add to it what is new; of a host that is there say what is not changed."""
    if not path.exists():
        path.write_text(first_hosts(named), encoding="utf-8")
        typer.echo(f"wrote {path}")
        return
    typer.echo(f"kept {path}")
    inventory = _inventory(path)
    for one in named:
        host = inventory.get(one.name)
        if host and (differs := ", ".join(_differences(host, one, environment))):
            typer.echo(f"  NOT changed, {one.name} is there with another {differs}: edit its entry there")
    if new := [one for one in named if inventory.get(one.name) is None]:
        change(path, new, is_confirmed=True)


def show_commands(path: Path, script: Path, users: Users, *, all_hosts: bool) -> bool:
    """For each host without a key, or for all, what root runs there; whether one has no key."""
    hosts = _inventory(path).hosts
    new = [host for host in hosts if all_hosts or not host.trusted]
    if new:
        typer.echo(
            "\nOn each of these hosts, as root, once (read the script first; its last line is the host's fingerprint):"
        )
    for host in new:
        typer.echo(f"  {host.name}:\n    {_as_root(host, users)} sh -s <{script}")
    return any(not host.trusted for host in hosts)


def _as_root(host: Host, users: Users) -> str:
    """How to run something on a host as root, over the hosts on the way to it."""
    jump = f" -J {','.join(_place(hop, users) for hop in host.hops)}" if host.hops else ""
    port, user = f" -p {host.port}" if host.port != _SSH else "", users.get(host.name, "")
    return f"ssh{jump}{port} {user or 'root'}@{host.address}{' sudo' if user not in ('', 'root') else ''}"


def _place(hop: Host, users: Users) -> str:
    login = f"{users[hop.name]}@" if hop.name in users else ""
    return f"{login}{hop.address}" if hop.port == _SSH else f"{login}{hop.address}:{hop.port}"


def _inventory(path: Path) -> Inventory:
    if not path.exists():
        return Inventory(())
    document = read_document(path)
    return read_inventory(document, kept_answer(document))


def _differences(host: Host, named: Entry, environment: str) -> Iterator[str]:
    asked = ("address", "port", *(("environment",) if environment != DEFAULT else ()))
    said = {"address": host.address, "port": str(host.port), "environment": host.environment}
    given = {name: named.fields.get(name, "") for name in said}
    yield from (f"{name} ({said[name]})" for name in asked if given[name] not in ("", said[name]))


def _host(typed: str, environment: str) -> Entry:
    """`web-01=192.0.2.11` or `web-01=192.0.2.11:2222`; a name alone is its own address. Raises `UsageError`."""
    name, _, place = typed.partition("=")
    address, colon, port = place.rpartition(":") if place.count(":") == 1 else (place, "", "")
    try:
        if colon and not port.isdecimal():
            raise ValueError(f"`{port[:80]}` is not a port")
        fields = {"address": quoted(read_address(address or name)), "port": port, "environment": environment}
        return Entry(read_name(name), fields, note=NO_KEY)
    except ValueError as error:
        raise UsageError(f"--host {typed[:80]}: {error}. Write it as in web-01=192.0.2.11.") from None
