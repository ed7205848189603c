"""`maskbot hosts scan`: the keys that hosts show, compared with the pinned ones, and pinned after somebody compared."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import typer

from bot.app.compose import open_ssh
from bot.cli.hosts_file import change
from bot.cli.status_line import line
from bot.core.hosts.inventory import Host
from bot.edges.ops import log
from bot.edges.ssh.hosts import SshHosts
from bot.errors import HostError, UsageError
from config.host_keys import FINGERPRINT
from config.hosts import read_hosts, read_inventory
from config.hosts_edit import Entry
from config.loading import kept_answer
from config.settings import load_settings
from config.strict_yaml import read_document

_AT_ONCE = 16
_STATES = {
    "pinned": "pinned",
    "other": "NOT THE PINNED KEY; hosts.yaml keeps the pinned one",
    "new": "not pinned yet",
}
_COMPARE = "Compare each with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the console of the host."


@dataclass(frozen=True, slots=True)
class _Shown:
    host: Host
    pin: str = ""
    kind: str = ""
    error: str = ""

    @property
    def state(self) -> str:
        if self.error:
            return "error"
        return "pinned" if self.pin in self.host.pins else "other" if self.host.pins else "new"

    @property
    def sentence(self) -> str:
        return self.error or f"{self.host.name}: {self.pin} ({self.kind}): {_STATES[self.state]}"

    @property
    def data(self) -> Mapping[str, str]:
        known = {"host": self.host.name, "state": self.state, "key": self.pin, "kind": self.kind, "error": self.error}
        return {name: value for name, value in known.items() if value}


def scan(names: Sequence[str], expect: str, *, as_json: bool = False) -> int:
    """Show the keys, and pin those of hosts without one; as JSON they are only shown.

    Raises `ConfigError`, `UsageError`.
    """
    settings = load_settings()
    log.set_up(level="error", as_json=False)
    path = settings.config_dir / "hosts.yaml"
    document = read_document(path)
    inventory, own = read_inventory(document, kept_answer(document)), read_hosts(document)
    asked = [_named(inventory.get(name), name) for name in names] or [one for one in inventory.hosts if not one.trusted]
    hosts = open_ssh(settings)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda host: _show(hosts, host), asked))
    hosts.close()
    if as_json:
        return _tell(found)
    for one in found:
        typer.echo(line(one.sentence))
    is_well = all(not one.error and (one.pin in one.host.pins or not one.host.pins) for one in found)
    new = [one for one in found if one.pin and not one.host.pins]
    if expect:
        known = set(FINGERPRINT.findall(_read(expect)))
        for one in (one for one in new if one.pin not in known):
            typer.echo(f"{one.host.name}: its key is not in {expect}; it is not pinned", err=True)
            is_well = False
        new = [one for one in new if one.pin in known]
    elif new:
        typer.echo(_COMPARE)
    for one in (one for one in new if one.host.name not in own):
        typer.echo(f"{one.host.name} is listed by the inventory source; pin its key there", err=True)
    entries = [Entry(one.host.name, {}, (one.pin,)) for one in new if one.host.name in own]
    code = change(path, entries, is_confirmed=bool(expect)) if entries else 0
    return code or (0 if is_well else 1)


def _tell(found: Sequence[_Shown]) -> int:
    typer.echo(json.dumps([one.data for one in found], indent=2))
    return 0 if all(one.state in ("pinned", "new") for one in found) else 1


def _named(host: Host | None, name: str) -> Host:
    if host is None:
        raise UsageError(f"There is no host `{name[:80]}` in hosts.yaml.")
    return host


def _show(hosts: SshHosts, host: Host) -> _Shown:
    try:
        pin, kind = hosts.shown_key(host)
    except HostError as error:
        return _Shown(host, error=str(error))
    return _Shown(host, pin, kind)


def _read(name: str) -> str:
    try:
        return Path(name).read_text()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{name}: cannot be read") from None
