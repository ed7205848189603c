"""The hosts of a test: model hosts for tests about people, time and words, real hosts for tests about systemd."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.ports import Hosts
from tests.model.hosts import ModelHost, ModelHosts

NAMES = ("web-01", "web-02", "db-01")


class AnyHost(Protocol):
    """What a test may do to a host behind the bot's back, for real hosts (`LabHost`) and model hosts."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def address(self) -> str:
        """Where its sshd listens."""

    @property
    def port(self) -> int:
        """At which port."""

    @property
    def login(self) -> str:
        """The bot's login."""

    @property
    def host_key(self) -> str:
        """Its public key."""

    def run(self, *argv: str, given: str = "", seconds: float = 30.0) -> subprocess.CompletedProcess[str]:
        """A command as root."""

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Some properties of a unit."""

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put a file on its disk."""

    def reboot(self) -> None:
        """Reboot: runtime masks go; the disk stays."""

    def start_transient(self) -> None:
        """Run transient-one.service."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Some hosts, the connection to them, and how to restore them."""

    hosts: Mapping[str, AnyHost]
    ways: Hosts
    restore: Callable[[], None]


def of_models() -> Fleet:
    """The demo's three hosts as model hosts."""
    hosts = {name: ModelHost(name) for name in NAMES}

    def restore() -> None:
        for host in hosts.values():
            host.reset()

    return Fleet(hosts, ModelHosts(hosts), restore)
