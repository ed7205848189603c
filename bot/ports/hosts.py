"""Hosts over SSH: run one command, and get its answer."""

from dataclasses import dataclass
from typing import Protocol

from bot.core.hosts.inventory import Host


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The answer of a command on a host. `exit_code` is a hint, never a proof."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    millis: int
    address: str = ""  # which it was given at: the host's name resolved to it


class Hosts(Protocol):
    """Hosts over SSH."""

    def run(self, host: Host, argv: tuple[str, ...], *, deadline: float) -> CommandResult:
        """Run one of our commands within `deadline` seconds.

        Raises `HostError` if it was certainly not sent, `OutcomeUnknown` if it was and no answer came back.
        """
