"""The hosts of a test: of the model where people, time and words are the subject, and real ones where systemd is."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.ports import Hosts
from tests.model.hosts import ModelHost, ModelHosts

NAMES = ("web-01", "web-02", "db-01")


class AnyHost(Protocol):
    """What a test may do to a host behind the bot's back, whether it is real (`LabHost`) or of the model."""

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
        """Whom the bot logs in as."""

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
        """Runtime masks go; what is on disk stays."""

    def start_transient(self) -> None:
        """Run transient-one.service."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Some hosts, the way to them, and the way back to how they were."""

    hosts: Mapping[str, AnyHost]
    ways: Hosts
    restore: Callable[[], None]


def of_models() -> Fleet:
    """The three hosts of the demo as models."""
    hosts = {name: ModelHost(name) for name in NAMES}

    def restore() -> None:
        for host in hosts.values():
            host.reset()

    return Fleet(hosts, ModelHosts(hosts), restore)
